// Runs connectrpc's conformance suite against the server, with the grpc-unary lane on and off: `npm run conformance`.
// What follows `--` goes to the suite, such as `-- --trace --run '**/unary/**'`.
//
// The definitions of the suite's service are in its Go module, which holds the runner too: they are compiled from there.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULE = "connectrpc.com/conformance@v1.0.5";
const RUNNER = "connectconformance";
const INSTALL = "go install connectrpc.com/conformance/cmd/connectconformance@v1.0.5";
/** The suite waits for ever for a call that nobody answers. On two cores it takes 80 s, most of it the runner's own work. */
const TIMEOUT_MS = 300_000;

/** The runner on the PATH, or where `go install` puts it; `undefined` without Go, whose module cache is needed anyway. */
function findRunner() {
  try {
    const [bin, path] = execFileSync("go", ["env", "GOBIN", "GOPATH"], { encoding: "utf8" }).split("\n");
    const folders = [...process.env.PATH.split(delimiter), bin, join(path, "bin")];
    return folders.map((folder) => join(folder, RUNNER)).find((file) => existsSync(file));
  } catch {
    return undefined;
  }
}

function buildDescriptors(file) {
  const stdio = ["ignore", "pipe", "inherit"];
  const downloaded = execFileSync("go", ["mod", "download", "-json", MODULE], {
    encoding: "utf8",
    stdio,
    cwd: tmpdir(),
  });
  const buf = join(ROOT, "node_modules", ".bin", "buf");
  execFileSync(buf, ["build", join(JSON.parse(downloaded).Dir, "proto"), "-o", file], { stdio });
}

/** Whether every case passes. The runner and the servers that it starts are one process group, so that none is left behind. */
async function runSuite(runner, descriptors, lane) {
  console.log(`grpc-unary lane ${lane}:`);
  const server = [
    "node",
    "--import",
    "./test/ts-loader.mjs",
    "test/conformance/server-under-test.ts",
    descriptors,
    lane,
  ];
  const options = ["--mode", "server", "--conf", "test/conformance/features.yaml", ...process.argv.slice(2)];
  const suite = spawn(runner, [...options, "--", ...server], { cwd: ROOT, stdio: "inherit", detached: true });
  const kill = () => {
    try {
      process.kill(-suite.pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error; // nothing is left
    }
  };
  process.once("exit", kill);
  const cut = setTimeout(() => {
    console.error(`the suite did not end within ${TIMEOUT_MS / 1_000} s`);
    kill();
  }, TIMEOUT_MS);
  const [status, signal] = await once(suite, "exit");
  clearTimeout(cut);
  process.off("exit", kill);
  kill();
  if (signal !== null) console.error(`the suite was ended by ${signal}`);
  return status === 0;
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const runner = findRunner();
if (runner === undefined) {
  console.error(`${RUNNER} is missing; with Go, install it by: ${INSTALL}`);
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), "latchkey-conformance-"));
try {
  const descriptors = join(scratch, "suite.binpb");
  buildDescriptors(descriptors);
  for (const lane of ["on", "off"]) {
    if (!(await runSuite(runner, descriptors, lane))) process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true });
}
