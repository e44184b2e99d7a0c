import { ServiceError } from "../errors.js";
import { DataDirectoryError } from "../secrets/data-directory-error.js";
import { SigningKeysError } from "../secrets/signing-keys-error.js";
import { StoreUnreachableError } from "../store/store-unreachable-error.js";
import { TransferError } from "../transfer/transfer-error.js";
import { CommandFailure } from "./command-failure.js";

const EXPECTED = [CommandFailure, DataDirectoryError, SigningKeysError, ServiceError, TransferError];

const STORE_ADVICE = "is it running, and does store.mongodb.uri (LATCHKEY_STORE_MONGODB_URI) name its servers?";

/**
 * What a user is told about a failure: the message when it is one that an operator can do something about (the data
 * directory, the signing keys, the store, a file of keys, a port in use, the workers), the stack when it is a defect.
 */
export function failureText(error: unknown): string {
  const { message, stack, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof StoreUnreachableError) return `${message}\n  ${STORE_ADVICE}`;
  const isExpected = EXPECTED.some((expected) => error instanceof expected) || syscall !== undefined;
  return isExpected ? message : (stack ?? String(error));
}
