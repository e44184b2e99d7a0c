import { formatIssuedKey, hashSecret, SECRET_BYTES } from "../credentials/issued-key.js";
import { createUuidV7, UUID_BYTES } from "../credentials/uuid.js";
import type { FieldViolation } from "../errors.js";
import type { KeyRecord, Pending, Visibility } from "../store/key-store.js";
import type { DomainContext, KeySettings } from "./context.js";
import {
  expiryFromTtl,
  findAttributeViolations,
  findTextViolations,
  findTtlViolations,
  findVisibilityViolations,
  type KeyAttributes,
  rateLimitPolicyFromInput,
  refuseViolations,
} from "./key-attributes.js";

const DERIVE_SEED_BYTES = 32;

export interface IssueKeyInput extends KeyAttributes {
  readonly tenantId: string;
  readonly actorId: string;
  readonly visibility: Visibility;
  /** Absent or 0: the configured default. */
  readonly ttlMs?: number | undefined;
}

export interface IssuedKeyWithSecret {
  readonly record: KeyRecord;
  /** The credential. The only time it exists outside its owner's hands. */
  readonly secret: string;
}

/** Issues a key. Throws INVALID_ARGUMENT, UNAVAILABLE. */
export async function issueKey(context: DomainContext, input: IssueKeyInput): Promise<IssuedKeyWithSecret> {
  refuseViolations(findIssueViolations(input, context.keys));
  const now = context.clock();
  const issued = createIssuedKey(context, {
    ...input,
    createTime: now,
    expireTime: expiryFromTtl(input.ttlMs, context.keys, now),
  });
  return { record: await insertNew(context, issued.record), secret: issued.secret };
}

export interface NewIssuedKey extends KeyAttributes {
  readonly tenantId: string;
  readonly actorId: string;
  readonly visibility: Visibility;
  readonly createTime: Date;
  readonly expireTime?: Date | undefined;
  readonly pending?: Pending;
}

/** Makes a key with a new id and secret; stores nothing. The attributes must be without violations. */
export function createIssuedKey(context: DomainContext, key: NewIssuedKey): IssuedKeyWithSecret {
  const { keys, randomBytes } = context;
  const keyId = createUuidV7(key.createTime.getTime(), randomBytes(UUID_BYTES));
  const secret = randomBytes(SECRET_BYTES);
  const prefix = key.visibility === "public" ? (keys.publicPrefix ?? keys.prefix) : keys.prefix;
  const record: KeyRecord = {
    tenantId: key.tenantId,
    keyId,
    kind: "issued",
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
    secretHash: hashSecret(secret),
    deriveSeed: randomBytes(DERIVE_SEED_BYTES),
    ...(key.pending && { pending: key.pending }),
  };
  return { record, secret: formatIssuedKey({ prefix, keyId, secret }) };
}

/** Stores a key whose id is new. */
export async function insertNew(context: DomainContext, record: KeyRecord): Promise<KeyRecord> {
  const result = await context.store.insert(record);
  if (result.outcome === "exists") throw new Error(`key id ${record.keyId} was drawn twice`);
  return result.record;
}

function findIssueViolations(input: IssueKeyInput, keys: KeySettings): FieldViolation[] {
  return [
    ...findTextViolations("actor_id", input.actorId),
    ...findAttributeViolations(input),
    ...findVisibilityViolations(input.visibility, keys),
    ...findTtlViolations(input.ttlMs, keys),
  ];
}
