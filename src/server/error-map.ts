/** The only place that knows how a reason looks on each wire. */
import { create, type DescMessage, type Message, toBinary, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { type Reason, ServiceError } from "../errors.js";

/** `google.rpc.ErrorInfo.domain` of every error. */
const ERROR_DOMAIN = "latchkey";

interface Outcome {
  readonly code: Code;
  /** Over REST. Canonical for the code, but for the ones that only REST has, and 409 for FAILED_PRECONDITION. */
  readonly httpStatus: number;
}

const OUTCOMES: Readonly<Record<Reason, Outcome>> = {
  CREDENTIAL_REQUIRED: { code: Code.InvalidArgument, httpStatus: 400 },
  INVALID_ARGUMENT: { code: Code.InvalidArgument, httpStatus: 400 },
  INVALID_FILTER: { code: Code.InvalidArgument, httpStatus: 400 },
  INVALID_PAGE_TOKEN: { code: Code.InvalidArgument, httpStatus: 400 },
  INVALID_UPDATE_MASK: { code: Code.InvalidArgument, httpStatus: 400 },
  DERIVED_TOKEN_NOT_REVOCABLE: { code: Code.InvalidArgument, httpStatus: 400 },
  UNAUTHENTICATED: { code: Code.Unauthenticated, httpStatus: 401 },
  PARENT_KEY_INVALID: { code: Code.Unauthenticated, httpStatus: 401 },
  SIGNATURE_INVALID: { code: Code.Unauthenticated, httpStatus: 401 },
  FORBIDDEN: { code: Code.PermissionDenied, httpStatus: 403 },
  SCOPE_NOT_ALLOWED: { code: Code.PermissionDenied, httpStatus: 403 },
  IP_NOT_ALLOWED: { code: Code.PermissionDenied, httpStatus: 403 },
  API_KEY_NOT_FOUND: { code: Code.NotFound, httpStatus: 404 },
  ROUTE_NOT_FOUND: { code: Code.NotFound, httpStatus: 404 },
  METHOD_NOT_ALLOWED: { code: Code.Unimplemented, httpStatus: 405 },
  API_KEY_EXISTS: { code: Code.AlreadyExists, httpStatus: 409 },
  KEY_NOT_ACTIVE: { code: Code.FailedPrecondition, httpStatus: 409 },
  CONCURRENT_CHANGE: { code: Code.Aborted, httpStatus: 409 },
  PAYLOAD_TOO_LARGE: { code: Code.ResourceExhausted, httpStatus: 413 },
  UNSUPPORTED_MEDIA_TYPE: { code: Code.InvalidArgument, httpStatus: 415 },
  QUOTA_EXCEEDED: { code: Code.ResourceExhausted, httpStatus: 429 },
  RATE_LIMITED: { code: Code.ResourceExhausted, httpStatus: 429 },
  CANCELLED: { code: Code.Canceled, httpStatus: 499 },
  INTERNAL: { code: Code.Internal, httpStatus: 500 },
  UNIMPLEMENTED: { code: Code.Unimplemented, httpStatus: 501 },
  UNAVAILABLE: { code: Code.Unavailable, httpStatus: 503 },
  DEADLINE_EXCEEDED: { code: Code.DeadlineExceeded, httpStatus: 504 },
};

/** Codes by the names that gRPC, AIP-193 and the access log use. */
const CODE_NAMES: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

/** What connect's own decoding and limits throw -> the reason it has here. Any other code is a broken request. */
const REASON_OF_CODE: Partial<Readonly<Record<Code, Reason>>> = {
  [Code.ResourceExhausted]: "PAYLOAD_TOO_LARGE",
  [Code.Internal]: "INTERNAL", // a message that is compressed where none may be, as gRPC has it (compression.md)
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.Canceled]: "CANCELLED",
};

/**
 * An error that gRPC, gRPC-Web and Connect carry as it is, with a code, message and details of its own; to REST and to the
 * log it is its reason. For published services whose errors are not ours to choose: our handlers and domain cannot import it.
 */
export class ErrorAsGiven extends ServiceError {
  constructor(
    readonly connectError: ConnectError,
    reason: Reason = "INTERNAL",
  ) {
    super(reason, connectError.rawMessage);
  }
}

export function codeName(reason: Reason): string {
  return CODE_NAMES[OUTCOMES[reason].code];
}

export function httpStatus(reason: Reason): number {
  return OUTCOMES[reason].httpStatus;
}

export function reasonOfCode(code: Code): Reason {
  return REASON_OF_CODE[code] ?? "INVALID_ARGUMENT";
}

/** The error as gRPC, gRPC-Web and Connect carry it: google.rpc.Status with details. */
export function connectErrorFromServiceError(error: ServiceError): ConnectError {
  if (error instanceof ErrorAsGiven) return error.connectError;
  const connectError = new ConnectError(error.message, OUTCOMES[error.reason].code);
  connectError.details = errorDetails(error).map(([desc, message]) => ({
    type: desc.typeName,
    value: toBinary(desc, message),
  }));
  return connectError;
}

/** The error as REST answers it (AIP-193). */
export function jsonFromServiceError(error: ServiceError): object {
  const { code, httpStatus } = OUTCOMES[error.reason];
  const details = errorDetails(error).map(([desc, message]) => ({
    "@type": `type.googleapis.com/${desc.typeName}`,
    ...(toJson(desc, message, { useProtoFieldName: true }) as object),
  }));
  return { error: { code: httpStatus, status: CODE_NAMES[code], message: error.message, details } };
}

function errorDetails({ reason, metadata, fields }: ServiceError): (readonly [DescMessage, Message])[] {
  const info = create(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } });
  if (fields.length === 0) return [[ErrorInfoSchema, info]];
  const badRequest = create(BadRequestSchema, { fieldViolations: fields.map((field) => ({ ...field })) });
  return [
    [ErrorInfoSchema, info],
    [BadRequestSchema, badRequest],
  ];
}
