import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pinned } from "../pinned-process.js";

const GRACE_S = 20;
const run = promisify(execFile);

/** Runs a load generator on the load's core, and no longer than it may take. Answers its standard output. */
export async function runLoad(program: string, words: readonly string[], seconds: number): Promise<string> {
  const [file, allWords] = pinned("load", program, words);
  const { stdout } = await run(file, allWords, { timeout: (seconds + GRACE_S) * 1000, killSignal: "SIGKILL" });
  return stdout;
}
