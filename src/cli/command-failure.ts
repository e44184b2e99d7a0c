/** A command that cannot be done here; the message says why. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}
