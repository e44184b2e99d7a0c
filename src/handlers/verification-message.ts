import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type AdminVerifyApiKeyResponse,
  AdminVerifyApiKeyResponseSchema,
  VerificationErrorCode,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { DerivedClaims } from "../credentials/derived-claims.js";
import type { Acceptance, Verification, VerificationFailure } from "../domain/verification.js";
import { invalidArgument, ServiceError } from "../errors.js";
import type { KeyRecord } from "../store/key-store.js";
import { messageFromStatus, messageFromVisibility } from "./enums.js";
import { messageFromRateLimitPolicy } from "./key-messages.js";

const FAILURES: Readonly<Record<VerificationFailure, { code: VerificationErrorCode; message: string }>> = {
  invalid_format: {
    code: VerificationErrorCode.VERIFICATION_ERROR_INVALID_FORMAT,
    message: "the credential is mistyped or truncated",
  },
  signature_invalid: {
    code: VerificationErrorCode.VERIFICATION_ERROR_SIGNATURE_INVALID,
    message: "the signature of the token is not valid",
  },
  permits_nothing: {
    code: VerificationErrorCode.VERIFICATION_ERROR_INVALID_FORMAT,
    message: "a caveat of the token is not known, or its caveats permit nothing",
  },
  not_found: { code: VerificationErrorCode.VERIFICATION_ERROR_NOT_FOUND, message: "the credential is unknown" },
  revoked: { code: VerificationErrorCode.VERIFICATION_ERROR_REVOKED, message: "the key is revoked" },
  scopes_withdrawn: {
    code: VerificationErrorCode.VERIFICATION_ERROR_REVOKED,
    message: "the key has lost every scope of the token",
  },
  expired: { code: VerificationErrorCode.VERIFICATION_ERROR_EXPIRED, message: "the credential is expired" },
  not_yet_valid: {
    code: VerificationErrorCode.VERIFICATION_ERROR_EXPIRED,
    message: "the token is not valid yet",
  },
  ip_not_allowed: {
    code: VerificationErrorCode.VERIFICATION_ERROR_IP_NOT_ALLOWED,
    message: "the key may not be used from the client's address",
  },
};

/** The address that a credential was presented from: what the caller says, else where the call comes from. */
export function presentedFrom(clientIp: string, clientAddress: string | undefined): string | undefined {
  if (clientIp === "") return clientAddress;
  if (isIP(clientIp) === 0) throw invalidArgument("client_ip", "must be an IPv4 or IPv6 address");
  return clientIp;
}

/** The answer of verify. A refusal shows no more of the key than its id and status. */
export function messageFromVerification(verification: Verification): AdminVerifyApiKeyResponse {
  if (verification.valid) return messageFromAcceptance(verification);
  const { key, failure } = verification;
  const { code, message } = FAILURES[failure];
  return create(AdminVerifyApiKeyResponseSchema, {
    isValid: false,
    errorCode: code,
    errorMessage: message,
    ...(key && { keyId: key.record.keyId, status: messageFromStatus(key.status) }),
  });
}

/** The answer to an item of a batch. One that verify would refuse is a mistake; the batch is not. */
export function messageFromBatchItem(item: Verification | ServiceError): AdminVerifyApiKeyResponse {
  if (!(item instanceof ServiceError)) return messageFromVerification(item);
  const { code } = FAILURES.invalid_format;
  return create(AdminVerifyApiKeyResponseSchema, { isValid: false, errorCode: code, errorMessage: item.message });
}

/**
 * The answers that were given for a record, or for what a token says together with its record. Neither changes, and what is
 * accepted is always active, so neither does the answer: it is frozen, which lets a lane keep what it encoded it to.
 */
const acceptances = new WeakMap<KeyRecord | DerivedClaims, Accepted>();

interface Accepted {
  readonly record: KeyRecord | undefined;
  readonly message: AdminVerifyApiKeyResponse;
}

function messageFromAcceptance(acceptance: Acceptance): AdminVerifyApiKeyResponse {
  const { record, token } = acceptance;
  const about = acceptance.record === undefined ? acceptance.token : (acceptance.token ?? acceptance.record);
  const known = acceptances.get(about);
  if (known !== undefined && known.record === record) return known.message;
  const message = create(AdminVerifyApiKeyResponseSchema, {
    isValid: true,
    status: messageFromStatus("active"),
    ...(record && fieldsFromRecord(record)),
    ...(token && fieldsFromToken(token)),
  });
  acceptances.set(about, { record, message: Object.freeze(message) });
  return message;
}

function fieldsFromRecord(record: KeyRecord) {
  const { keyId, actorId, scopes, metadata, visibility, expireTime, rateLimitPolicy } = record;
  return {
    keyId,
    actorId,
    scopes: [...scopes],
    visibility: messageFromVisibility(visibility),
    ...(metadata && { metadata }),
    ...(expireTime && { expireTime: timestampFromDate(expireTime) }),
    ...(rateLimitPolicy && { rateLimitPolicy: messageFromRateLimitPolicy(rateLimitPolicy) }),
  };
}

/** What a token says in place of its key. */
function fieldsFromToken({ rootKeyId, actorId, scopes, expireTime, issuer }: DerivedClaims) {
  return { keyId: rootKeyId, actorId, scopes: [...scopes], expireTime: timestampFromDate(expireTime), issuer };
}
