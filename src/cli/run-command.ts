import { StoreUnreachableError } from "../store/store-unreachable-error.js";
import { CommandFailure } from "./command-failure.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { failureText } from "./failure-text.js";
import type { CommandContext } from "./program.js";
import { showableLines } from "./showable.js";

/** Runs what a command does. A rejection is told on stderr and ends the process; so does an exit code other than 0. */
export async function runCommand(
  { stderr, exit }: CommandContext,
  work: () => Promise<ExitCode | undefined>,
): Promise<void> {
  let code: ExitCode;
  try {
    code = (await work()) ?? EXIT_CODE.ok;
  } catch (error) {
    stderr.write(`latchkey: ${showableLines(failureText(error))}\n`);
    code = exitCodeOf(error);
  }
  if (code !== EXIT_CODE.ok) exit(code);
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandFailure) return error.exitCode;
  return error instanceof StoreUnreachableError ? EXIT_CODE.unreachable : EXIT_CODE.failed;
}
