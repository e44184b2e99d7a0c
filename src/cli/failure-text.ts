import { ServiceError } from "../errors.js";
import { DataDirectoryError } from "../secrets/data-directory-error.js";
import { SigningKeysError } from "../secrets/signing-keys-error.js";
import { TransferError } from "../transfer/transfer-error.js";
import { CommandFailure } from "./command-failure.js";
import { WorkerFailure } from "./worker-failure.js";

const EXPECTED = [CommandFailure, DataDirectoryError, SigningKeysError, ServiceError, TransferError, WorkerFailure];

/**
 * What a user is told about a failure: the message when it is one that an operator can do something about (the data
 * directory, the signing keys, the store, a file of keys, a port in use, the workers), the stack when it is a defect.
 */
export function failureText(error: unknown): string {
  const { message, stack, syscall } = error as NodeJS.ErrnoException;
  const isExpected = EXPECTED.some((expected) => error instanceof expected) || syscall !== undefined;
  return isExpected ? message : (stack ?? String(error));
}
