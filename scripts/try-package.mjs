// Packs the service as `npm pack` does, installs the tarball globally in a folder of its own, and runs what is installed there:
// `node scripts/try-package.mjs`. It takes about half a minute, and the packages that the service depends on are fetched.
//
// The tarball has to hold what the sources compile to, the definitions, README and LICENSE, and nothing else. What is installed has
// to know its version, to get ready, to issue a key and to verify it, and to stop on SIGTERM with exit code 0.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ALWAYS = ["LICENSE", "README.md", "package.json"];
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;

class Failure extends Error {}

function expect(isTrue, message) {
  if (!isTrue) throw new Failure(message);
}

/** Every file below a folder of the repository, as paths from its root. */
function listFiles(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** Answers the tarball's path. */
function pack(folder) {
  const words = ["pack", "--json", "--silent", "--pack-destination", folder];
  const printed = JSON.parse(execFileSync("npm", words, { cwd: ROOT, encoding: "utf8" }));
  // A list, or an object by name, as the version of npm has it.
  const [{ filename, files }] = Object.values(printed);
  const expected = [
    ...ALWAYS,
    ...listFiles("proto"),
    ...[...listFiles("src"), ...listFiles("gen")].map((path) => join("dist", path.replace(/\.ts$/, ".js"))),
  ];
  const packed = files.map(({ path }) => path);
  const missing = expected.filter((path) => !packed.includes(path));
  const stray = packed.filter((path) => !expected.includes(path));
  expect(missing.length === 0, `the tarball lacks ${missing.join(", ")}`);
  expect(stray.length === 0, `the tarball has what does not belong there: ${stray.join(", ")}`);
  console.log(`packed: ${packed.length} files`);
  return join(folder, filename);
}

/** Answers the path of the command. */
function install(tarball, prefix) {
  execFileSync("npm", ["install", "--global", "--silent", "--prefix", prefix, tarball], { stdio: "inherit" });
  return process.platform === "win32" ? join(prefix, "latchkey.cmd") : join(prefix, "bin", "latchkey");
}

async function tryService(command, folder) {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const said = execFileSync(command, ["--version"], { cwd: folder, encoding: "utf8" });
  expect(said === `${version}\n`, `--version says ${said}`);

  const env = { ...withoutSettings(process.env), LATCHKEY_SERVER_PORT: "0" };
  const service = spawn(command, ["serve"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(service, "close");
  try {
    const url = await readyUrl(service);
    await tryKeys(url, readFileSync(join(folder, "data/secrets/admin-token"), "utf8").trim());
    service.kill("SIGTERM");
    const cut = setTimeout(() => service.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const [code, signal] = await closed;
    clearTimeout(cut);
    expect(code === 0, `the service ended with ${code ?? signal} after SIGTERM`);
  } finally {
    service.kill("SIGKILL");
    await closed;
  }
}

async function tryKeys(url, token) {
  const post = async (path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${url}/v2alpha1/admin/${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    expect(response.ok, `${path} answers ${response.status}`);
    return response.json();
  };
  const { secret } = await post("issuedApiKeys", { name: "n", actor_id: "a" });
  const { is_valid } = await post("apiKeys:verify", { credential: secret });
  expect(is_valid === true, "the key does not verify");
}

/** The address in the log line that says `ready`. */
async function readyUrl({ stdout }) {
  const lines = createInterface(stdout);
  const tooLate = setTimeout(() => lines.close(), START_TIMEOUT_MS);
  try {
    for await (const line of lines) {
      const { msg, url } = JSON.parse(line);
      if (msg === "ready") return url;
    }
  } finally {
    clearTimeout(tooLate);
    stdout.resume(); // so that the service never waits for a reader
  }
  throw new Failure("the service does not get ready");
}

function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("LATCHKEY_")));
}

const scratch = mkdtempSync(join(tmpdir(), "latchkey-package-"));
try {
  await tryService(install(pack(scratch), join(scratch, "prefix")), scratch);
  console.log("installed, ready, verifies a key, and stopped by SIGTERM");
} catch (error) {
  console.error(`try-package: ${error instanceof Failure ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
