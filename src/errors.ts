/**
 * Every reason a call can be refused for. Stable: clients branch on it (`google.rpc.ErrorInfo.reason`).
 * Only `server/error-map.ts` knows which gRPC code and HTTP status each one becomes.
 */
export type Reason =
  | "CREDENTIAL_REQUIRED"
  | "INVALID_ARGUMENT"
  | "INVALID_FILTER"
  | "INVALID_PAGE_TOKEN"
  | "INVALID_UPDATE_MASK"
  | "DERIVED_TOKEN_NOT_REVOCABLE"
  | "UNAUTHENTICATED"
  | "PARENT_KEY_INVALID"
  | "SIGNATURE_INVALID"
  | "FORBIDDEN"
  | "SCOPE_NOT_ALLOWED"
  | "IP_NOT_ALLOWED"
  | "API_KEY_NOT_FOUND"
  | "ROUTE_NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "API_KEY_EXISTS"
  | "KEY_NOT_ACTIVE"
  | "CONCURRENT_CHANGE"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "QUOTA_EXCEEDED"
  | "RATE_LIMITED"
  | "CANCELLED"
  | "INTERNAL"
  | "UNIMPLEMENTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED";

/** A request field at fault. `field` is a path in the request message's snake_case, such as `requests[3].name`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** gRPC carries an error in trailers, which clients limit to as little as 8 KiB: more than this is not said. */
const MAX_MESSAGE_CHARACTERS = 1_000;
const MAX_VIOLATIONS = 20;
const MAX_VIOLATION_CHARACTERS = 200;

/** What a cut in the middle of a character leaves at the end. */
const HALF_A_CHARACTER = /[\uD800-\uDBFF]$/;

export interface ServiceErrorDetails {
  readonly fields?: readonly FieldViolation[];
  /** Facts for the caller's program. Never a secret. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What went wrong underneath. Logged, never answered. */
  readonly cause?: unknown;
}

/** The one error that callers get to see. Anything else that is thrown becomes INTERNAL. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly reason: Reason;
  readonly fields: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;

  constructor(reason: Reason, message: string, details: ServiceErrorDetails = {}) {
    super(clip(message, MAX_MESSAGE_CHARACTERS), details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.fields = (details.fields ?? []).slice(0, MAX_VIOLATIONS).map(({ field, description }) => ({
      field: clip(field, MAX_VIOLATION_CHARACTERS),
      description: clip(description, MAX_VIOLATION_CHARACTERS),
    }));
    this.metadata = details.metadata ?? {};
  }
}

/** INVALID_ARGUMENT for one field. */
export function invalidArgument(field: string, description: string): ServiceError {
  return invalidArguments([{ field, description }]);
}

/** INVALID_ARGUMENT for several fields; the message names them in their order. */
export function invalidArguments(fields: readonly FieldViolation[]): ServiceError {
  const told = fields.slice(0, MAX_VIOLATIONS);
  const message = told.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new ServiceError("INVALID_ARGUMENT", message, { fields });
}

function clip(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1).replace(HALF_A_CHARACTER, "")}…`;
}
