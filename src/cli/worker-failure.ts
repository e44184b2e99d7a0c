import { EXIT_CODE, type ExitCode } from "./exit-code.js";

/** Workers that did not do what they should; the message says it, and they have said why themselves. */
export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT_CODE.failed,
  ) {
    super(message);
  }
}
