import { MongoBulkWriteError, MongoError, MongoServerError } from "mongodb";
import { ServiceError } from "../../errors.js";
import { AUTHENTICATION_FAILED, DUPLICATE_KEY, UNAUTHORIZED } from "./error-codes.js";

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * A driver's error as the one error that leaves a store. The driver lets errors of sockets through that are none of its own
 * classes; a TypeError alone is a mistake in this program.
 */
export function unavailable(error: unknown): unknown {
  if (error instanceof ServiceError || error instanceof TypeError) return error;
  return new ServiceError("UNAVAILABLE", "the key store cannot be reached", { cause: withoutDocuments(error) });
}

/** Causes are logged, and a driver's error about a bulk write holds the documents that were to be written. */
function withoutDocuments(error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error;
  return new Error(`${error.name}: ${error.message} (code ${error.code})`);
}

/** Why a store could not be opened, in words for whoever started the process. Names the servers, never the credentials. */
export function openFailure(error: unknown, hosts: string, timeoutMs: number): unknown {
  if (error instanceof ServiceError || !(error instanceof MongoError)) return error;
  return new ServiceError("UNAVAILABLE", `MongoDB at ${hosts} ${reasonOf(error, timeoutMs)}`, { cause: error });
}

function reasonOf(error: MongoError, timeoutMs: number): string {
  if (hasCode(error, AUTHENTICATION_FAILED)) return "refused the user name or password";
  if (hasCode(error, UNAUTHORIZED)) return "does not let this user create the indexes that it needs";
  if (error instanceof MongoServerError) return `refused to open the store (code ${error.code})`;
  return `cannot be reached (no usable answer within ${timeoutMs} ms)`;
}

/** Servers that cannot be selected keep the reason as a cause, some levels down. */
function hasCode(error: unknown, code: number): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof MongoServerError && current.code === code) return true;
  }
  return false;
}
