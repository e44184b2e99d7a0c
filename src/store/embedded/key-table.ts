/** The records and their index tables, kept in agreement. All functions run inside one transaction or on one snapshot. */
import type { KeyRecord, ListQuery } from "../key-store.js";
import type { Environment } from "./environment.js";
import {
  listKey,
  listPrefix,
  listRange,
  recordKey,
  recordKeyFromListKey,
  recordKeyFromTimeKey,
  timeBound,
  timeKey,
} from "./index-keys.js";
import { decodeEntry, encodeRecord, encodeTombstone, type StoredEntry, type Tombstone } from "./stored-entry.js";

const NO_VALUE = Buffer.alloc(0);

export function getEntry(tables: Environment, key: Uint8Array): StoredEntry | undefined {
  const text = tables.records.get(key);
  return text === undefined ? undefined : decodeEntry(text);
}

export function getRecord(tables: Environment, key: Uint8Array): KeyRecord | undefined {
  const entry = getEntry(tables, key);
  return entry !== undefined && "record" in entry ? entry.record : undefined;
}

/** Writes a record that is new, or that takes a tombstone's place. Answers what was stored. */
export function addRecord(
  tables: Environment,
  key: Uint8Array,
  record: KeyRecord,
  tombstone: Tombstone | undefined,
): KeyRecord {
  if (tombstone !== undefined) tables.tombstones.remove(timeKey(tombstone.deleteTime, key));
  for (const { table, indexKey } of listKeys(tables, record)) table.put(indexKey, NO_VALUE);
  return putRecord(tables, key, record);
}

/** Writes the next version of a record. What the lists are ordered by never changes, so only `pending` may have to move. */
export function replaceRecord(tables: Environment, key: Uint8Array, before: KeyRecord, after: KeyRecord): KeyRecord {
  if (before.pending !== undefined && after.pending === undefined) {
    tables.pending.remove(timeKey(before.createTime, key));
  }
  return putRecord(tables, key, after);
}

export function buryRecord(tables: Environment, key: Uint8Array, record: KeyRecord, deleteTime: Date): void {
  for (const { table, indexKey } of listKeys(tables, record)) table.remove(indexKey);
  if (record.pending !== undefined) tables.pending.remove(timeKey(record.createTime, key));
  tables.records.put(key, encodeTombstone({ version: record.version + 1, deleteTime }));
  tables.tombstones.put(timeKey(deleteTime, key), NO_VALUE);
}

export function listRecords(tables: Environment, query: ListQuery): KeyRecord[] {
  const prefix = listPrefix(query.tenantId, query.kind, query.actorId);
  if (prefix === undefined) return [];
  const table = query.actorId === undefined ? tables.byKind : tables.byActor;
  const range = { ...listRange(prefix, query.after), exclusiveStart: query.after !== undefined, limit: query.limit };
  return Array.from(table.getKeys(range), (key) => mustGet(tables, recordKeyFromListKey(prefix, key)));
}

export function listPendingRecords(tables: Environment, createdBefore: Date, limit: number): KeyRecord[] {
  const keys = tables.pending.getKeys({ end: timeBound(createdBefore), limit });
  return Array.from(keys, (key) => mustGet(tables, recordKeyFromTimeKey(key)));
}

/** Answers how many went. */
export function removeOldTombstones(tables: Environment, deletedBefore: Date, limit: number): number {
  // Collected first: the table must not change under the cursor.
  const keys = Array.from(tables.tombstones.getKeys({ end: timeBound(deletedBefore), limit }));
  for (const key of keys) {
    tables.tombstones.remove(key);
    tables.records.remove(recordKeyFromTimeKey(key));
  }
  return keys.length;
}

function putRecord(tables: Environment, key: Uint8Array, record: KeyRecord): KeyRecord {
  if (record.pending !== undefined) tables.pending.put(timeKey(record.createTime, key), NO_VALUE);
  const text = encodeRecord(record);
  tables.records.put(key, text);
  const stored = decodeEntry(text);
  if (!("record" in stored)) throw new Error("a record was encoded as a tombstone");
  return stored.record;
}

function listKeys(tables: Environment, record: KeyRecord) {
  const kind = listPrefix(record.tenantId, record.kind);
  const actor = listPrefix(record.tenantId, record.kind, record.actorId);
  if (kind === undefined || actor === undefined || recordKey(record) === undefined) {
    throw new RangeError("a key id or tenant id that cannot be stored");
  }
  return [
    { table: tables.byKind, indexKey: listKey(kind, record) },
    { table: tables.byActor, indexKey: listKey(actor, record) },
  ];
}

function mustGet(tables: Environment, key: Uint8Array): KeyRecord {
  const record = getRecord(tables, key);
  if (record === undefined) throw new Error("an index table names a record that does not exist");
  return record;
}
