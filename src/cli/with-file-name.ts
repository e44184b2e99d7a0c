import { TransferError } from "../transfer/transfer-error.js";

/** Does the work, and says of which file it was when it rejects with a TransferError. */
export async function withFileName<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof TransferError ? new TransferError(`${path}: ${error.message}`) : error;
  }
}
