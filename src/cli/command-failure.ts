import { EXIT_CODE, type ExitCode } from "./exit-code.js";

/** Why a command could not do what it should, in words for whoever typed it, and how the process ends. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT_CODE.failed,
  ) {
    super(message);
  }
}
