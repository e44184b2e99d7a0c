import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TOOLS_REQUIRED } from "../tools-required.js";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** Installing takes two seconds where the packages can be had. */
const INSTALL_TIMEOUT_MS = 120_000;
const PIP_OPTIONS = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "30"];

const run = promisify(execFile);

/** A Python that has the packages of requirements.txt. */
export interface Python {
  /** What tokens.py answers to a question. Rejects when it fails. */
  ask<T>(question: object): Promise<T>;
  dispose(): void;
}

/**
 * A virtual environment of its own, in a temporary directory. `problem`: why there is none; with
 * LATCHKEY_TEST_REQUIRE_TOOLS=true that is an error.
 */
export async function createPython(): Promise<{ readonly python: Python } | { readonly problem: string }> {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-python-"));
  const dispose = () => rmSync(directory, { recursive: true, force: true });
  const executable = join(directory, "bin", "python");
  try {
    await run("python3", ["-m", "venv", directory], { timeout: INSTALL_TIMEOUT_MS });
    const words = ["-m", "pip", "install", ...PIP_OPTIONS, "--requirement", join(FOLDER, "requirements.txt")];
    await run(executable, words, { timeout: INSTALL_TIMEOUT_MS });
  } catch (cause) {
    dispose();
    if (TOOLS_REQUIRED) throw new Error("no Python to test with", { cause });
    return { problem: "skipped: it needs python3 with venv, and the packages of test/interop/requirements.txt" };
  }
  return { python: { ask: (question) => ask(executable, question), dispose } };
}

async function ask<T>(executable: string, question: object): Promise<T> {
  const child = spawn(executable, [join(FOLDER, "tokens.py")], { stdio: ["pipe", "pipe", "pipe"] });
  const closed = once(child, "close");
  child.stdin.end(JSON.stringify(question));
  const [answer, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  if (child.exitCode !== 0) throw new Error(`tokens.py failed:\n${problem}`);
  return JSON.parse(answer) as T;
}
