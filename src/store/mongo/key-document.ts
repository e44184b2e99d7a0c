import type { Collection } from "mongodb";
import type {
  Idempotency,
  JsonObject,
  KeyChange,
  KeyId,
  KeyKind,
  KeyRecord,
  ListedStatus,
  MutableField,
  Pending,
  RateLimitPolicy,
  RateLimitUnit,
  Revocation,
  RevocationReason,
  SealedSecret,
  Visibility,
} from "../key-store.js";
import { listedAsWritten } from "../listed-as-written.js";
import { documentFromMetadata, metadataFromDocument } from "./metadata-document.js";

/**
 * A key in the collection `keys`. A deleted key keeps `_id`, `tenant_id`, `key_id`, `version`, `changed_at`, `write_id` and
 * `deleted`.
 *
 * `_id` is "<tenant id>/<key id>": one string, so that a point read names it whole, on a sharded collection goes to one shard
 * (with `_id` hashed as the shard key, which keeps it unique too), and cannot be anything but a value.
 */
export interface KeyDocument {
  readonly _id: string;
  readonly tenant_id: string;
  readonly key_id: string;
  readonly kind: KeyKind;
  readonly version: number | bigint;
  readonly name: string;
  readonly actor_id: string;
  readonly scopes: readonly string[];
  readonly visibility: Visibility;
  readonly metadata?: JsonObject | undefined;
  readonly rate_limit_policy?: { quota: bigint; window_ms: number | bigint; unit: RateLimitUnit } | undefined;
  readonly allowed_cidrs?: readonly string[] | undefined;
  readonly create_time: Date;
  readonly update_time: Date;
  readonly expire_time?: Date | undefined;
  readonly last_used_time?: Date | undefined;
  readonly revocation?:
    | { reason: RevocationReason; description?: string | undefined; grace_end?: Date | undefined }
    | undefined;
  /** Absent on a key from before it. */
  readonly listed?: ListedStatus;
  readonly secret_hash?: Uint8Array | undefined;
  readonly derive_seed: Uint8Array;
  readonly successor?: string | undefined;
  readonly pending?: { predecessor: string; version: number | bigint } | undefined;
  readonly idempotency?: { request_id_hash: Uint8Array; fingerprint: Uint8Array } | undefined;
  readonly sealed_secret?: { box: Uint8Array; expire_time: Date } | undefined;
  /** By the server's clock: when an existing key was last changed or deleted. Absent on a key that never was. */
  readonly changed_at?: Date;
  /** Random, of the last change or deletion, which finds out by it whether it happened (`update-on-version.ts`). */
  readonly write_id?: Uint8Array;
  readonly deleted?: true;
}

export type KeyCollection = Collection<KeyDocument>;

/** Of a key that takes no tombstone's place. */
export const FIRST_VERSION = 1;

/** Throws a TypeError for anything but strings, so that no id can become a query operator. */
export function documentId(id: KeyId): string {
  const { tenantId, keyId } = id;
  // Without a slash in the tenant id, the first slash ends it, whatever the key id holds.
  if (typeof tenantId !== "string" || tenantId.includes("/")) throw new TypeError("a tenant id that cannot be stored");
  if (typeof keyId !== "string") throw new TypeError("a key id that is no string");
  return `${tenantId}/${keyId}`;
}

export function documentFromRecord(record: KeyRecord, version: number): KeyDocument {
  return {
    _id: documentId(record),
    tenant_id: record.tenantId,
    key_id: record.keyId,
    kind: record.kind,
    version,
    name: record.name,
    actor_id: record.actorId,
    scopes: record.scopes,
    visibility: record.visibility,
    metadata: record.metadata && documentFromMetadata(record.metadata),
    rate_limit_policy: record.rateLimitPolicy && documentFromPolicy(record.rateLimitPolicy),
    allowed_cidrs: record.allowedCidrs,
    create_time: record.createTime,
    update_time: record.updateTime,
    expire_time: record.expireTime,
    last_used_time: record.lastUsedTime,
    revocation: record.revocation && documentFromRevocation(record.revocation),
    listed: record.listed,
    secret_hash: record.secretHash,
    derive_seed: record.deriveSeed,
    successor: record.successor,
    pending: record.pending && documentFromPending(record.pending),
    idempotency: record.idempotency && documentFromIdempotency(record.idempotency),
    sealed_secret: record.sealedSecret && documentFromSealedSecret(record.sealedSecret),
  };
}

export function recordFromDocument(document: KeyDocument): KeyRecord {
  const { metadata, rate_limit_policy: policy, expire_time: expireTime, pending } = document;
  const revocation = document.revocation && revocationFromDocument(document.revocation);
  const record: { -readonly [F in keyof KeyRecord]: KeyRecord[F] } = {
    tenantId: document.tenant_id,
    keyId: document.key_id,
    kind: document.kind,
    version: Number(document.version),
    name: document.name,
    actorId: document.actor_id,
    scopes: document.scopes,
    visibility: document.visibility,
    createTime: document.create_time,
    updateTime: document.update_time,
    listed: document.listed ?? listedAsWritten(revocation, expireTime),
    deriveSeed: new Uint8Array(document.derive_seed),
  };
  if (metadata !== undefined) record.metadata = metadataFromDocument(metadata);
  if (policy !== undefined) {
    record.rateLimitPolicy = { quota: BigInt(policy.quota), windowMs: Number(policy.window_ms), unit: policy.unit };
  }
  if (document.allowed_cidrs !== undefined) record.allowedCidrs = document.allowed_cidrs;
  if (expireTime !== undefined) record.expireTime = expireTime;
  if (document.last_used_time !== undefined) record.lastUsedTime = document.last_used_time;
  if (revocation !== undefined) record.revocation = revocation;
  if (document.secret_hash !== undefined) record.secretHash = new Uint8Array(document.secret_hash);
  if (document.successor !== undefined) record.successor = document.successor;
  if (pending !== undefined) record.pending = { predecessor: pending.predecessor, version: Number(pending.version) };
  const { idempotency, sealed_secret: sealed } = document;
  if (idempotency !== undefined) {
    record.idempotency = {
      requestIdHash: new Uint8Array(idempotency.request_id_hash),
      fingerprint: new Uint8Array(idempotency.fingerprint),
    };
  }
  if (sealed !== undefined) record.sealedSecret = { box: new Uint8Array(sealed.box), expireTime: sealed.expire_time };
  return record;
}

/** What a change sets and removes, by field of the document. */
export function updateFromChange(change: KeyChange): { set: Record<string, unknown>; unset: Record<string, true> } {
  const set: Record<string, unknown> = {};
  const unset: Record<string, true> = {};
  for (const field of Object.keys(MUTABLE_FIELDS) as MutableField[]) {
    const { name, encode } = MUTABLE_FIELDS[field] as ChangedField<unknown>;
    const value = change[field];
    if (value === null) unset[name] = true;
    else if (value !== undefined) set[name] = encode(value);
  }
  return { set, unset };
}

interface ChangedField<V> {
  readonly name: keyof KeyDocument;
  readonly encode: (value: V) => unknown;
}

const asIs = (value: unknown) => value;

const MUTABLE_FIELDS: { readonly [F in MutableField]: ChangedField<NonNullable<KeyRecord[F]>> } = {
  name: { name: "name", encode: asIs },
  scopes: { name: "scopes", encode: asIs },
  metadata: { name: "metadata", encode: documentFromMetadata },
  rateLimitPolicy: { name: "rate_limit_policy", encode: documentFromPolicy },
  allowedCidrs: { name: "allowed_cidrs", encode: asIs },
  updateTime: { name: "update_time", encode: asIs },
  revocation: { name: "revocation", encode: documentFromRevocation },
  listed: { name: "listed", encode: asIs },
  successor: { name: "successor", encode: asIs },
  pending: { name: "pending", encode: documentFromPending },
  sealedSecret: { name: "sealed_secret", encode: documentFromSealedSecret },
};

function documentFromPolicy(policy: RateLimitPolicy) {
  return { quota: policy.quota, window_ms: policy.windowMs, unit: policy.unit };
}

function documentFromRevocation(revocation: Revocation) {
  return { reason: revocation.reason, description: revocation.description, grace_end: revocation.graceEnd };
}

function revocationFromDocument(revocation: NonNullable<KeyDocument["revocation"]>): Revocation {
  const { reason, description, grace_end: graceEnd } = revocation;
  return { reason, ...(description !== undefined && { description }), ...(graceEnd && { graceEnd }) };
}

function documentFromPending(pending: Pending) {
  return { predecessor: pending.predecessor, version: pending.version };
}

function documentFromIdempotency(idempotency: Idempotency) {
  return { request_id_hash: idempotency.requestIdHash, fingerprint: idempotency.fingerprint };
}

function documentFromSealedSecret(sealed: SealedSecret) {
  return { box: sealed.box, expire_time: sealed.expireTime };
}
