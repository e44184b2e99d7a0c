import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "@jest/globals";
import { findPort } from "../../src/cli/find-port.js";
import { eventually } from "../e2e/eventually.js";
import { asShown, readPage, readSteps } from "./readme-blocks.js";
import { cleanEnvironment } from "./tour-service.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE_URL = "http://127.0.0.1:4420";
const BUILD = "node dist/src/main.js";
const SOURCES = `node --import ${ROOT}test/ts-loader.mjs ${ROOT}src/main.ts`;
/** Between the outputs of two steps. */
const MARK = "-- next step --";
const SHELL_TIMEOUT_MS = 100_000;
const TIMEOUT_MS = 120_000;

const steps = readSteps(readPage("docs/secrets.md"));
const folder = mkdtempSync(join(tmpdir(), "latchkey-secrets-page-"));

afterAll(async () => {
  stop("SIGKILL"); // one that a failure left
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a signal to the service that the page started; `false` when it is gone. */
function stop(signal: NodeJS.Signals | 0): boolean {
  const file = join(folder, "latchkey.pid");
  if (!existsSync(file)) return false;
  try {
    return process.kill(Number(readFileSync(file, "utf8")), signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

test("the page shows what comes of each step", () => {
  expect(steps.filter((step) => "expected" in step).length).toBeGreaterThanOrEqual(10);
});

test(
  "docs/secrets.md goes as it is shown",
  async () => {
    const port = String(await findPort({ host: "127.0.0.1", port: 0 }));
    const script = steps
      .map((step) => `${step.script}\necho '${MARK}'\n`)
      .join("")
      .replaceAll(BUILD, SOURCES)
      .replaceAll(PAGE_URL, `http://127.0.0.1:${port}`);
    const shell = run("bash", ["-euo", "pipefail", "-c", script], {
      cwd: folder,
      env: { ...cleanEnvironment(), LATCHKEY_SERVER_PORT: port },
      timeout: SHELL_TIMEOUT_MS,
    });
    shell.child.stdin?.end();
    const outputs = (await shell).stdout.split(`${MARK}\n`);
    const answers = steps.map((step, index) =>
      "expected" in step ? { ...step, expected: asShown(JSON.parse(outputs[index] ?? ""), step.expected) } : step,
    );
    expect(answers).toEqual(steps);
    await eventually("the service to stop", () => stop(0) === false || undefined);
  },
  TIMEOUT_MS,
);
