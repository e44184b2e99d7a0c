import { ServiceError } from "../../errors.js";

/** What LMDB or the file system threw, as the one error that leaves a store. */
export function unavailable(cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause;
  return new ServiceError("UNAVAILABLE", "the key store cannot be used", { cause });
}

/**
 * The error behind a failed commit. lmdb-js rejects with an error that holds a second, rejected promise (`commitError`) with
 * the real one; it has to be handled too, or it ends the process as an unhandled rejection.
 */
export async function commitFailure(error: unknown): Promise<unknown> {
  const commitError: unknown = error instanceof Error && "commitError" in error ? error.commitError : undefined;
  if (!(commitError instanceof Promise)) return error;
  return commitError.then(
    () => error,
    (reason: unknown) => reason,
  );
}
