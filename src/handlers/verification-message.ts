import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type AdminVerifyApiKeyResponse,
  AdminVerifyApiKeyResponseSchema,
  VerificationErrorCode,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { Verification, VerificationFailure } from "../domain/verify-key.js";
import { invalidArgument } from "../errors.js";
import type { KeyRecord } from "../store/key-store.js";
import { messageFromStatus, messageFromVisibility } from "./enums.js";
import { messageFromRateLimitPolicy } from "./key-messages.js";

const FAILURES: Readonly<Record<VerificationFailure, { code: VerificationErrorCode; message: string }>> = {
  invalid_format: {
    code: VerificationErrorCode.VERIFICATION_ERROR_INVALID_FORMAT,
    message: "the credential is mistyped or truncated",
  },
  not_found: { code: VerificationErrorCode.VERIFICATION_ERROR_NOT_FOUND, message: "the credential is unknown" },
  revoked: { code: VerificationErrorCode.VERIFICATION_ERROR_REVOKED, message: "the key is revoked" },
  expired: { code: VerificationErrorCode.VERIFICATION_ERROR_EXPIRED, message: "the key is expired" },
  ip_not_allowed: {
    code: VerificationErrorCode.VERIFICATION_ERROR_IP_NOT_ALLOWED,
    message: "the key may not be used from the client's address",
  },
};

/** The address that a credential was presented from: what the caller says, else the other end of the connection. */
export function clientAddress(clientIp: string, peerAddress: string | undefined): string | undefined {
  if (clientIp === "") return peerAddress;
  if (isIP(clientIp) === 0) throw invalidArgument("client_ip", "must be an IPv4 or IPv6 address");
  return clientIp;
}

/** The answer of verify. A refusal shows no more of the key than its id and status. */
export function messageFromVerification(verification: Verification): AdminVerifyApiKeyResponse {
  if (verification.valid) return acceptance(verification.key.record);
  const { key, failure } = verification;
  const { code, message } = FAILURES[failure];
  return create(AdminVerifyApiKeyResponseSchema, {
    isValid: false,
    errorCode: code,
    errorMessage: message,
    ...(key && { keyId: key.record.keyId, status: messageFromStatus(key.status) }),
  });
}

/**
 * The answers that were given for a record. A record never changes, and an accepted key is always active, so neither does its
 * answer: it is frozen, which lets a lane keep what it encoded it to.
 */
const acceptances = new WeakMap<KeyRecord, AdminVerifyApiKeyResponse>();

function acceptance(record: KeyRecord): AdminVerifyApiKeyResponse {
  const known = acceptances.get(record);
  if (known !== undefined) return known;
  const { keyId, actorId, scopes, metadata, visibility, expireTime, rateLimitPolicy } = record;
  const message = create(AdminVerifyApiKeyResponseSchema, {
    isValid: true,
    keyId,
    status: messageFromStatus("active"),
    actorId,
    scopes: [...scopes],
    visibility: messageFromVisibility(visibility),
    ...(metadata && { metadata }),
    ...(expireTime && { expireTime: timestampFromDate(expireTime) }),
    ...(rateLimitPolicy && { rateLimitPolicy: messageFromRateLimitPolicy(rateLimitPolicy) }),
  });
  acceptances.set(record, Object.freeze(message));
  return message;
}
