/** A file that cannot be used, or a store that is not to be written to. The message is for the operator, and has no secret. */
export class TransferError extends Error {
  override readonly name = "TransferError";
}

/** A service that cannot be reached, or cannot answer now. The same command goes on later. */
export class UnreachableError extends TransferError {}
