import {
  MongoCompatibilityError,
  MongoError,
  MongoMissingDependencyError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import { ServiceError } from "../../errors.js";
import { StoreUnreachableError } from "../store-unreachable-error.js";
import {
  AUTHENTICATION_FAILED,
  DUPLICATE_KEY,
  MAX_TIME_EXPIRED,
  OUT_OF_DISK_SPACE,
  UNAUTHORIZED,
} from "./error-codes.js";
import { isOutcomeUnknown } from "./outcome-unknown.js";

const LATE = "did not answer in time";

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * A driver's error as the one error that leaves a store. The driver lets errors of sockets through that are none of its own
 * classes; a TypeError alone is a mistake in this program.
 */
export function unavailable(error: unknown): unknown {
  if (error instanceof ServiceError || error instanceof TypeError) return error;
  const details = { cause: withoutDocuments(error) };
  const refusal = refusalOf(error);
  if (refusal !== undefined) return new ServiceError("UNAVAILABLE", `the key store ${refusal}`, details);
  const problem = hasCode(error, MAX_TIME_EXPIRED) ? LATE : "cannot be reached";
  return new StoreUnreachableError(`the key store ${problem}`, details);
}

/** The error of a call whose answer is not waited for any more. */
export function lateAnswer(): StoreUnreachableError {
  return new StoreUnreachableError(`the key store ${LATE}`);
}

/** What callers of the service are told about what does not pass by itself. */
function refusalOf(error: unknown): string | undefined {
  if (hasCode(error, AUTHENTICATION_FAILED)) return "refuses the service's user name or password";
  if (hasCode(error, UNAUTHORIZED)) return "does not let the service's user do this";
  if (hasCode(error, OUT_OF_DISK_SPACE)) return "is full";
  if (isTooOld(error)) return "is on a server that is too old";
  return undefined;
}

/** Causes are logged, and a server's answer may hold the document of a key; so does an error about a bulk write. */
function withoutDocuments(error: unknown): unknown {
  if (!(error instanceof MongoServerError)) return error;
  return new Error(`${error.name}: ${error.message} (code ${error.code})`);
}

/** Why a store could not be opened, in words for whoever started the process. Names the servers, never the credentials. */
export function openFailure(error: unknown, hosts: string, timeoutMs: number): unknown {
  if (error instanceof ServiceError) return error;
  const { syscall, path, code } = error as NodeJS.ErrnoException;
  if (path !== undefined) {
    return new ServiceError("UNAVAILABLE", `the file ${path}, which the MongoDB URI names, cannot be read (${code})`);
  }
  if (!(error instanceof MongoError) && syscall === undefined) return error;
  const refusal = refusalAtOpen(error);
  if (refusal === undefined) {
    const systemError = systemCode(error);
    const problem = `${systemError === undefined ? "" : `${systemError}, `}no usable answer within ${timeoutMs} ms`;
    return new StoreUnreachableError(`MongoDB at ${hosts} cannot be reached (${problem})`, { cause: error });
  }
  const message = `MongoDB at ${hosts} ${refusal}`;
  // A primary that steps down, say: another try finds the next one.
  const isForTheMoment = error instanceof MongoServerError && isOutcomeUnknown(error);
  return isForTheMoment
    ? new StoreUnreachableError(message, { cause: error })
    : new ServiceError("UNAVAILABLE", message, { cause: error });
}

/** `undefined`: no server has answered. */
function refusalAtOpen(error: unknown): string | undefined {
  if (hasCode(error, AUTHENTICATION_FAILED)) return "refused the user name or password";
  if (hasCode(error, UNAUTHORIZED)) return "does not let this user create the indexes that it needs";
  if (hasCode(error, OUT_OF_DISK_SPACE)) return "has no space left";
  if (isTooOld(error)) return "is too old: MongoDB 4.4 or newer is needed";
  if (isCausedBy(error, MongoMissingDependencyError))
    return "cannot be used: a package that the URI asks for is missing";
  if (error instanceof MongoServerError) return `refused to open the store (code ${error.code})`;
  return undefined;
}

function hasCode(error: unknown, code: number): boolean {
  return [...causes(error)].some((cause) => cause instanceof MongoServerError && cause.code === code);
}

function isCausedBy(error: unknown, type: typeof MongoError): boolean {
  return [...causes(error)].some((cause) => cause instanceof type);
}

/** A connection says so when it is new; later, what is known of the servers does. */
function isTooOld(error: unknown): boolean {
  const isRuledOut = error instanceof MongoServerSelectionError && error.reason?.compatible === false;
  return isRuledOut || isCausedBy(error, MongoCompatibilityError);
}

/** Such as ECONNREFUSED, ENOTFOUND or CERT_HAS_EXPIRED: what Node says of addresses, connections and TLS. */
function systemCode(error: unknown): string | undefined {
  return [...causes(error)].map((cause) => (cause as NodeJS.ErrnoException).code).find((code) => isName(code));
}

function isName(code: unknown): boolean {
  return typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code);
}

/** An error and those below it: when no server can be selected, the reason is some levels down. */
function* causes(error: unknown): Generator<object> {
  for (let cause = error; typeof cause === "object" && cause !== null; cause = (cause as Error).cause) yield cause;
}
