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
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.fields = details.fields ?? [];
    this.metadata = details.metadata ?? {};
  }
}

/** INVALID_ARGUMENT for one field, or for the ones of a list: the message names the first. */
export function invalidArgument(field: string, description: string): ServiceError {
  return invalidArguments([{ field, description }]);
}

export function invalidArguments(fields: readonly FieldViolation[]): ServiceError {
  const message = fields.map((violation) => `${violation.field}: ${violation.description}`).join("; ");
  return new ServiceError("INVALID_ARGUMENT", message, { fields });
}
