/** A file that cannot be used, or a store that is not to be written to. The message is for the operator, and has no secret. */
export class TransferError extends Error {
  override readonly name = "TransferError";
}
