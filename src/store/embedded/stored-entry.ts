/**
 * What the embedded store's `records` table holds: JSON text that names its own format, so that a later release can read
 * what this one wrote. Times are milliseconds since 1970, bytes are base64, the int64 quota is decimal text. A new field that
 * is optional is no new format.
 *
 * JSON, because a parsed `__proto__` is an ordinary field there, and because it is about as fast as the binary formats for
 * records this small.
 */
import type {
  JsonObject,
  KeyKind,
  KeyRecord,
  KeyStatus,
  ListedStatus,
  Pending,
  RateLimitUnit,
  Revocation,
  RevocationReason,
  Visibility,
} from "../key-store.js";
import { listedAsWritten } from "../listed-as-written.js";

const FORMAT = 1;

/** What is left of a deleted key. */
export interface Tombstone {
  readonly version: number;
  readonly deleteTime: Date;
}

/** A record, or what is left of one. */
export type StoredEntry = { readonly record: KeyRecord } | { readonly tombstone: Tombstone };

interface StoredTombstone {
  readonly format: number;
  readonly version: number;
  readonly deleteTime: number;
}

interface StoredKey {
  readonly format: number;
  readonly tenantId: string;
  readonly keyId: string;
  readonly kind: KeyKind;
  readonly version: number;
  readonly name: string;
  readonly actorId: string;
  readonly scopes: readonly string[];
  readonly visibility: Visibility;
  readonly metadata?: JsonObject | undefined;
  readonly rateLimitPolicy?: { quota: string; windowMs: number; unit: RateLimitUnit } | undefined;
  readonly allowedCidrs?: readonly string[] | undefined;
  readonly createTime: number;
  readonly updateTime: number;
  readonly expireTime?: number | undefined;
  readonly lastUsedTime?: number | undefined;
  readonly revocation?: { reason: RevocationReason; description?: string; graceEnd?: number | undefined } | undefined;
  /** Absent in records from before it. */
  readonly listed?: { status: KeyStatus; until?: number | undefined; since?: number | undefined };
  readonly secretHash?: string | undefined;
  readonly deriveSeed: string;
  readonly successor?: string | undefined;
  readonly pending?: Pending | undefined;
  readonly idempotency?: { requestIdHash: string; fingerprint: string } | undefined;
  readonly sealedSecret?: { box: string; expireTime: number } | undefined;
}

export function encodeTombstone(tombstone: Tombstone): string {
  const stored: StoredTombstone = {
    format: FORMAT,
    version: tombstone.version,
    deleteTime: tombstone.deleteTime.getTime(),
  };
  return JSON.stringify(stored);
}

export function encodeRecord(record: KeyRecord): string {
  const policy = record.rateLimitPolicy;
  const { revocation, listed, idempotency, sealedSecret } = record;
  // JSON.stringify leaves out what is undefined.
  const stored: StoredKey = {
    format: FORMAT,
    tenantId: record.tenantId,
    keyId: record.keyId,
    kind: record.kind,
    version: record.version,
    name: record.name,
    actorId: record.actorId,
    scopes: record.scopes,
    visibility: record.visibility,
    metadata: record.metadata,
    rateLimitPolicy: policy && { quota: String(policy.quota), windowMs: policy.windowMs, unit: policy.unit },
    allowedCidrs: record.allowedCidrs,
    createTime: record.createTime.getTime(),
    updateTime: record.updateTime.getTime(),
    expireTime: record.expireTime?.getTime(),
    lastUsedTime: record.lastUsedTime?.getTime(),
    revocation: revocation && { ...revocation, graceEnd: revocation.graceEnd?.getTime() },
    listed: { status: listed.status, until: listed.until?.getTime(), since: listed.since?.getTime() },
    secretHash: record.secretHash && base64FromBytes(record.secretHash),
    deriveSeed: base64FromBytes(record.deriveSeed),
    successor: record.successor,
    pending: record.pending,
    idempotency: idempotency && {
      requestIdHash: base64FromBytes(idempotency.requestIdHash),
      fingerprint: base64FromBytes(idempotency.fingerprint),
    },
    sealedSecret: sealedSecret && {
      box: base64FromBytes(sealedSecret.box),
      expireTime: sealedSecret.expireTime.getTime(),
    },
  };
  return JSON.stringify(stored);
}

export function decodeEntry(text: string): StoredEntry {
  const stored = JSON.parse(text) as StoredKey | StoredTombstone;
  if (stored.format !== FORMAT) {
    throw new Error(`a record of format ${stored.format}; this release reads format ${FORMAT}`);
  }
  if ("deleteTime" in stored) {
    return { tombstone: { version: stored.version, deleteTime: new Date(stored.deleteTime) } };
  }
  return { record: recordFromStored(stored) };
}

/** Of text that `encodeRecord` made. */
export function decodeRecord(text: string): KeyRecord {
  const entry = decodeEntry(text);
  if (!("record" in entry)) throw new Error("a record was encoded as a tombstone");
  return entry.record;
}

function recordFromStored(stored: StoredKey): KeyRecord {
  const { metadata, rateLimitPolicy, allowedCidrs, lastUsedTime, secretHash } = stored;
  const expireTime = stored.expireTime === undefined ? undefined : new Date(stored.expireTime);
  const revocation = stored.revocation && revocationFromStored(stored.revocation);
  const record: { -readonly [F in keyof KeyRecord]: KeyRecord[F] } = {
    tenantId: stored.tenantId,
    keyId: stored.keyId,
    kind: stored.kind,
    version: stored.version,
    name: stored.name,
    actorId: stored.actorId,
    scopes: stored.scopes,
    visibility: stored.visibility,
    createTime: new Date(stored.createTime),
    updateTime: new Date(stored.updateTime),
    listed: stored.listed ? listedFromStored(stored.listed) : listedAsWritten(revocation, expireTime),
    deriveSeed: bytesFromBase64(stored.deriveSeed),
  };
  if (metadata !== undefined) record.metadata = metadata;
  if (rateLimitPolicy !== undefined) {
    record.rateLimitPolicy = { ...rateLimitPolicy, quota: BigInt(rateLimitPolicy.quota) };
  }
  if (allowedCidrs !== undefined) record.allowedCidrs = allowedCidrs;
  if (expireTime !== undefined) record.expireTime = expireTime;
  if (lastUsedTime !== undefined) record.lastUsedTime = new Date(lastUsedTime);
  if (revocation !== undefined) record.revocation = revocation;
  if (secretHash !== undefined) record.secretHash = bytesFromBase64(secretHash);
  if (stored.successor !== undefined) record.successor = stored.successor;
  if (stored.pending !== undefined) record.pending = stored.pending;
  const { idempotency, sealedSecret } = stored;
  if (idempotency !== undefined) {
    record.idempotency = {
      requestIdHash: bytesFromBase64(idempotency.requestIdHash),
      fingerprint: bytesFromBase64(idempotency.fingerprint),
    };
  }
  if (sealedSecret !== undefined) {
    record.sealedSecret = { box: bytesFromBase64(sealedSecret.box), expireTime: new Date(sealedSecret.expireTime) };
  }
  return record;
}

function revocationFromStored({ graceEnd, ...rest }: NonNullable<StoredKey["revocation"]>): Revocation {
  return graceEnd === undefined ? rest : { ...rest, graceEnd: new Date(graceEnd) };
}

function listedFromStored({ status, until, since }: NonNullable<StoredKey["listed"]>): ListedStatus {
  return {
    status,
    ...(until !== undefined && { until: new Date(until) }),
    ...(since !== undefined && { since: new Date(since) }),
  };
}

function base64FromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function bytesFromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
