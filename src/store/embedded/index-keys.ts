/**
 * The keys of the embedded store's tables: bytes that sort as the lists are ordered, and that no name can imitate.
 *
 *     name(x)     length of x in bytes (1 byte), then x in UTF-8
 *     records     name(tenant) key-id
 *     byKind      name(tenant) kind newest-first(create time) key-id
 *     byActor     name(tenant) kind SHA-256(actor id) newest-first(create time) key-id
 *     byStatus    name(tenant) kind status newest-first(create time) key-id
 *     byActorAndStatus
 *                 name(tenant) kind status SHA-256(actor id) newest-first(create time) key-id
 *     due         oldest-first(time until which a status is listed) name(tenant) key-id
 *     since       newest-first(time since which a status is listed) name(tenant) key-id
 *     pending     oldest-first(create time) name(tenant) key-id
 *     sealed      oldest-first(expire time of the sealed secret) name(tenant) key-id
 *     tombstones  oldest-first(time of the delete) name(tenant) key-id
 *
 * The key id is always last, so it needs no end mark; everything before it has a fixed or a stated length. An actor id may be
 * 1,020 bytes and hold any character: only equality is asked of it, so its hash stands for it. All keys stay far below
 * LMDB's limit of 1,978 bytes.
 */
import { createHash } from "node:crypto";
import type { KeyId, KeyKind, KeyRecord, KeyStatus, ListCursor } from "../key-store.js";

/** Longest tenant id and key id, in UTF-8 bytes. The ids of the service have 36 and 64. */
const MAX_NAME_BYTES = 255;

const TIME_BYTES = 8;
/** Dates reach from -8.64e15 to 8.64e15 ms, so that both sums below stay positive 64-bit numbers. */
const TIME_OFFSET = 2n ** 62n;

const KIND_BYTES: Readonly<Record<KeyKind, Buffer>> = { issued: Buffer.of(1), imported: Buffer.of(2) };

const STATUS_BYTES: Readonly<Record<KeyStatus, Buffer>> = {
  active: Buffer.of(1),
  revoked: Buffer.of(2),
  expired: Buffer.of(3),
};

/** Above every byte that a time begins with, and every byte of UTF-8. */
const LAST = Buffer.of(0xff);

/** `undefined` for an id that no record can have: one that is too long or no well-formed Unicode. */
export function recordKey(id: KeyId): Buffer | undefined {
  const tenant = nameBytes(id.tenantId);
  const key = nameBytes(id.keyId);
  if (tenant === undefined || key === undefined) return undefined;
  return Buffer.concat([Buffer.of(tenant.length), tenant, key]);
}

export function idFromRecordKey(key: Uint8Array): KeyId {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const tenantEnd = 1 + (bytes[0] ?? 0);
  return { tenantId: bytes.toString("utf8", 1, tenantEnd), keyId: bytes.toString("utf8", tenantEnd) };
}

/** What a list is of. */
export interface ListName {
  readonly tenantId: string;
  readonly kind: KeyKind;
  readonly actorId?: string | undefined;
  readonly status?: KeyStatus | undefined;
}

/** The part that all keys of one list begin with; `undefined` for a tenant that no record can have. */
export function listPrefix({ tenantId, kind, actorId, status }: ListName): Buffer | undefined {
  const tenant = nameBytes(tenantId);
  if (tenant === undefined) return undefined;
  const parts = [Buffer.of(tenant.length), tenant, KIND_BYTES[kind]];
  if (status !== undefined) parts.push(STATUS_BYTES[status]);
  if (actorId !== undefined) parts.push(actorHash(actorId));
  return Buffer.concat(parts);
}

/** Where a list of keys created at `createdFrom` or later begins after a cursor, and where it ends (exclusive). */
export function listRange(
  prefix: Buffer,
  after: ListCursor | undefined,
  createdFrom: Date | undefined,
): { start: Buffer; end: Buffer } {
  return {
    start: after === undefined ? prefix : listKey(prefix, after),
    end: Buffer.concat(createdFrom === undefined ? [prefix, LAST] : [prefix, newestFirst(createdFrom), LAST]),
  };
}

export function listKey(prefix: Buffer, record: Pick<KeyRecord, "createTime" | "keyId">): Buffer {
  return Buffer.concat([prefix, newestFirst(record.createTime), Buffer.from(record.keyId)]);
}

/** The key of the record that a list key stands for. */
export function recordKeyFromListKey(prefix: Buffer, key: Uint8Array): Buffer {
  const tenantLength = prefix[0] ?? 0;
  return Buffer.concat([prefix.subarray(0, 1 + tenantLength), key.subarray(prefix.length + TIME_BYTES)]);
}

/** A key of `since`. */
export function latestTimeKey(time: Date, key: Uint8Array): Buffer {
  return Buffer.concat([newestFirst(time), key]);
}

/** Where the keys of such a table end that are from after `time`. */
export function latestTimeBound(time: Date): Buffer {
  return newestFirst(time);
}

/** A key of `due`, `pending`, `sealed` or `tombstones`. */
export function timeKey(time: Date, key: Uint8Array): Buffer {
  return Buffer.concat([oldestFirst(time), key]);
}

/** Where the keys of such a table end that are from before `time`. */
export function timeBound(time: Date): Buffer {
  return oldestFirst(time);
}

export function recordKeyFromTimeKey(key: Uint8Array): Uint8Array {
  return key.subarray(TIME_BYTES);
}

function oldestFirst(time: Date): Buffer {
  return uint64(TIME_OFFSET + BigInt(time.getTime()));
}

function newestFirst(time: Date): Buffer {
  return uint64(TIME_OFFSET - BigInt(time.getTime()));
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(TIME_BYTES);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** Over UTF-16, which keeps every JavaScript string apart, ill-formed ones too. */
function actorHash(actorId: string): Buffer {
  return createHash("sha256").update(actorId, "utf16le").digest();
}

function nameBytes(name: string): Buffer | undefined {
  if (/\p{Surrogate}/u.test(name)) return undefined;
  const bytes = Buffer.from(name);
  return bytes.length > MAX_NAME_BYTES ? undefined : bytes;
}
