// Holds the running service to its own OpenAPI document with Schemathesis: `npm run schemathesis`. It sends what the document
// allows, and what it does not, and no answer may be a server error, or have a status, a type or a body that is not documented.
//
// It needs python3 with venv, and installs Schemathesis into a temporary directory. What follows `--` goes to it, such as
// `-- --max-examples 200 --seed 7`.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE = "schemathesis==4.32.5";
const PIP_OPTIONS = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "30"];
const INSTALL_TIMEOUT_MS = 120_000;
/** On two cores it takes 40 s. */
const TIMEOUT_MS = 180_000;
const TOKEN_BYTES = 32;
/** Those whose rules are the document's. What the service accepts beyond it, such as camelCase, is no mistake. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "allow_header_conformance",
  "ignored_auth",
];
/** The same requests every time, for each operation about a hundred. */
const OPTIONS = ["--max-examples", "15", "--seed", "1", "--generation-database", "none", "--continue-on-failure"];

function install(directory) {
  const options = { stdio: ["ignore", "inherit", "inherit"], timeout: INSTALL_TIMEOUT_MS };
  execFileSync("python3", ["-m", "venv", directory], options);
  const python = join(directory, "bin", "python");
  execFileSync(python, ["-m", "pip", "install", ...PIP_OPTIONS, PACKAGE], options);
  return join(directory, "bin", "schemathesis");
}

/** A service of its own, on a free port, from the sources; ended with this process. `url` resolves when it is ready. */
function startService(dataDir, token) {
  const words = ["--import", "./test/ts-loader.mjs", "src/main.ts", "serve"];
  const env = {
    PATH: process.env.PATH,
    LATCHKEY_SERVER_PORT: "0",
    LATCHKEY_DATA_DIR: dataDir,
    LATCHKEY_KEYS_PUBLIC_PREFIX: "pk",
    LATCHKEY_ADMIN_TOKENS: JSON.stringify([{ name: "schemathesis", token, role: "admin" }]),
  };
  const service = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => service.kill("SIGKILL"));
  let problems = "";
  service.stderr.on("data", (text) => {
    problems += text;
  });
  const url = new Promise((resolve, reject) => {
    service.once("exit", () => reject(new Error(`the service ended:\n${problems}`)));
    createInterface({ input: service.stdout }).on("line", (line) => {
      const entry = JSON.parse(line);
      if (entry.msg === "ready") resolve(entry.url);
      if (entry.level === "error") console.error(line);
    });
  });
  return { service, url };
}

/** Whether Schemathesis finds nothing. */
async function examine(program, url, token, cwd) {
  const words = [
    "run",
    `${url}/openapi.json`,
    "--header",
    `Authorization: Bearer ${token}`,
    "--checks",
    CHECKS.join(","),
  ];
  const options = { cwd, stdio: "inherit", timeout: TIMEOUT_MS, killSignal: "SIGKILL" };
  const child = spawn(program, [...words, ...OPTIONS, ...process.argv.slice(2)], options);
  process.once("exit", () => child.kill("SIGKILL"));
  const [status, signal] = await once(child, "exit");
  if (signal !== null) console.error(`Schemathesis was ended by ${signal}`);
  return status === 0;
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const scratch = mkdtempSync(join(tmpdir(), "latchkey-schemathesis-"));
try {
  const program = install(join(scratch, "python"));
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const { service, url } = startService(join(scratch, "data"), token);
  if (!(await examine(program, await url, token, scratch))) process.exitCode = 1;
  service.kill("SIGTERM");
  const [status] = service.exitCode === null ? await once(service, "exit") : [service.exitCode];
  if (status !== 0) throw new Error(`the service ended with status ${status}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
