/** Stored keys -> messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type {
  ImportedApiKeySchema,
  IssuedApiKeySchema,
  RateLimitPolicySchema,
} from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { keyStatus } from "../domain/key-status.js";
import type { KeyRecord, RateLimitPolicy } from "../store/key-store.js";
import { durationFromMs } from "./duration-ms.js";
import { messageFromRevocationReason, messageFromStatus, messageFromVisibility } from "./enums.js";

/** A key as the API shows it at `now`. A revocation that is still to come (a grace period) is not shown. */
export function issuedApiKeyFromRecord(record: KeyRecord, now: Date): MessageInitShape<typeof IssuedApiKeySchema> {
  const status = keyStatus(record, now);
  return {
    keyId: record.keyId,
    name: record.name,
    actorId: record.actorId,
    scopes: [...record.scopes],
    status: messageFromStatus(status),
    visibility: messageFromVisibility(record.visibility),
    ...(record.metadata && { metadata: record.metadata }),
    ...(record.rateLimitPolicy && { rateLimitPolicy: messageFromRateLimitPolicy(record.rateLimitPolicy) }),
    ...(record.allowedCidrs && { ipRestriction: { allowedCidrs: [...record.allowedCidrs] } }),
    createTime: timestampFromDate(record.createTime),
    updateTime: timestampFromDate(record.updateTime),
    ...(record.expireTime && { expireTime: timestampFromDate(record.expireTime) }),
    ...(record.lastUsedTime && { lastUsedTime: timestampFromDate(record.lastUsedTime) }),
    ...(status === "revoked" && revocationFields(record)),
  };
}

/** The same for an imported key: the two resources have the same fields. */
export function importedApiKeyFromRecord(record: KeyRecord, now: Date): MessageInitShape<typeof ImportedApiKeySchema> {
  return issuedApiKeyFromRecord(record, now) as MessageInitShape<typeof ImportedApiKeySchema>;
}

export function messageFromRateLimitPolicy(policy: RateLimitPolicy): MessageInitShape<typeof RateLimitPolicySchema> {
  return { quota: policy.quota, window: durationFromMs(policy.windowMs), unit: policy.unit };
}

function revocationFields({ revocation }: KeyRecord) {
  if (revocation === undefined) return {};
  return {
    revocationReason: messageFromRevocationReason(revocation.reason),
    revocationDescription: revocation.description ?? "",
  };
}
