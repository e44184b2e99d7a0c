/**
 * Every reason a call can be refused for. Stable: clients branch on it (`google.rpc.ErrorInfo.reason`).
 * Only `server/error-map.ts` knows which gRPC code and HTTP status each one becomes. What is said of each here is said in
 * docs/errors.md too: `npm run generate`.
 */
export type Reason =
  /** A call about a credential has none. */
  | "CREDENTIAL_REQUIRED"
  /** A field is wrong, or a `request_id` was used for another request. */
  | "INVALID_ARGUMENT"
  /** A filter cannot be read; the message names the column. */
  | "INVALID_FILTER"
  /** A page token is damaged, older than a day, or of another list. */
  | "INVALID_PAGE_TOKEN"
  /** A mask names what cannot be changed. */
  | "INVALID_UPDATE_MASK"
  /** Self-revocation of a derived token. Revoke its key. */
  | "DERIVED_TOKEN_NOT_REVOCABLE"
  /** The bearer token is missing or not known. */
  | "UNAUTHENTICATED"
  /** Derive from a credential that is not good now; the message says why. */
  | "PARENT_KEY_INVALID"
  /** Derive from a token whose signature is wrong. */
  | "SIGNATURE_INVALID"
  /** The bearer token's role may not make this call. */
  | "FORBIDDEN"
  /** Derive with scopes that the parent does not have. */
  | "SCOPE_NOT_ALLOWED"
  /** Derive from an address that the parent may not be used from. */
  | "IP_NOT_ALLOWED"
  /** There is no such key; for self-revocation also: the secret is wrong. */
  | "API_KEY_NOT_FOUND"
  /** REST: there is no such path. */
  | "ROUTE_NOT_FOUND"
  /** REST: the path has no such method; `Allow` names those that it has. */
  | "METHOD_NOT_ALLOWED"
  /** The raw key was imported before; `metadata.key_id` names it. */
  | "API_KEY_EXISTS"
  /** A revoked key cannot be changed; one that is not active or was rotated cannot be rotated. */
  | "KEY_NOT_ACTIVE"
  /** Another call changed the key at the same time. Try again. */
  | "CONCURRENT_CHANGE"
  /** The request is larger than its method allows: 1 MiB, batches 4 MiB. */
  | "PAYLOAD_TOO_LARGE"
  /** REST: the body is not JSON. */
  | "UNSUPPORTED_MEDIA_TYPE"
  /** A quota is used up. Not used yet. */
  | "QUOTA_EXCEEDED"
  /** Too many self-revocations failed; `metadata.retry_after_seconds` says how long to wait. */
  | "RATE_LIMITED"
  /** The client went away. */
  | "CANCELLED"
  /** A defect. The log has the cause, by `x-request-id`. */
  | "INTERNAL"
  /** The method is not there, or a unary call does not have one message. */
  | "UNIMPLEMENTED"
  /** The store does not answer. The call may have had its effect; try again, with a `request_id`. */
  | "UNAVAILABLE"
  /** The client's deadline or `server.request_timeout` passed. The call may have had its effect. */
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
