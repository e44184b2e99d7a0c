import { DERIVE_SEED_BYTES } from "../credentials/macaroon-token.js";
import type { KeyRecord, Visibility } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { type KeyAttributes, rateLimitPolicyFromInput } from "./key-attributes.js";
import { listedStatus } from "./key-status.js";

/** What is known of a new key of either kind. The attributes must be without violations. */
export interface NewKey extends KeyAttributes {
  readonly tenantId: string;
  readonly actorId: string;
  readonly visibility: Visibility;
  readonly createTime: Date;
  readonly expireTime?: Date | undefined;
}

/** What the records of all new keys have in common. */
export function newRecord({ randomBytes }: DomainContext, key: NewKey): Omit<KeyRecord, "keyId" | "kind"> {
  return {
    tenantId: key.tenantId,
    version: 1,
    name: key.name,
    actorId: key.actorId,
    scopes: key.scopes,
    visibility: key.visibility,
    ...(key.metadata && { metadata: key.metadata }),
    ...(key.rateLimitPolicy && { rateLimitPolicy: rateLimitPolicyFromInput(key.rateLimitPolicy) }),
    ...(key.allowedCidrs && { allowedCidrs: key.allowedCidrs }),
    createTime: key.createTime,
    updateTime: key.createTime,
    ...(key.expireTime && { expireTime: key.expireTime }),
    listed: listedStatus(key, key.createTime),
    deriveSeed: randomBytes(DERIVE_SEED_BYTES),
  };
}
