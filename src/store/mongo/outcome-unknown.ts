import { MongoBulkWriteError, MongoServerError, MongoWriteConcernError } from "mongodb";
import { ServiceError } from "../../errors.js";
import { DUPLICATE_KEY } from "./error-codes.js";

/**
 * Answers of a server that cannot say what became of the operation, or that another may carry it out. Those that the drivers
 * retry by their specification, and those by which a server says that it does not know or had no time.
 * https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
const UNKNOWN_OUTCOMES: ReadonlySet<number> = new Set([
  1, // InternalError
  6, // HostUnreachable
  7, // HostNotFound
  8, // UnknownError
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
]);

/**
 * Whether a write that failed so may have happened all the same, or would not fail a second time. Not so when the server
 * refused it for good, such as for want of a permission; or when the error is this program's own.
 */
export function isOutcomeUnknown(error: unknown): boolean {
  if (error instanceof ServiceError || error instanceof TypeError) return false;
  const code = refusalCode(error);
  return code === undefined || UNKNOWN_OUTCOMES.has(code);
}

/** The code of the server's answer. `undefined`: it did not answer, or not to the question whether it wrote. */
function refusalCode(error: unknown): number | undefined {
  if (!(error instanceof MongoServerError) || error instanceof MongoWriteConcernError) return undefined;
  // An answer to a bulk as a whole keeps its `ok`. Errors of the network come as bulk errors too, without a code.
  if (!(error instanceof MongoBulkWriteError) || error.errorResponse.ok === 0) return Number(error.code);
  return error.result.getWriteErrors().find(({ code }) => code !== DUPLICATE_KEY)?.code;
}
