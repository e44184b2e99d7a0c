/**
 * The records and their index tables, kept in agreement. All functions run inside one transaction or on one snapshot, but for
 * those that prepare.
 */
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
import { decodeEntry, decodeRecord, encodeRecord, encodeTombstone, type StoredEntry } from "./stored-entry.js";

const NO_VALUE = Buffer.alloc(0);
const FIRST_VERSION = 1;

type IndexTable = Environment["pending"];

/** Of the two lists that a record is in. */
interface Prefixes {
  readonly kind: Buffer;
  readonly actor: Buffer;
}

/** By tenant, kind and actor. Most records of one call share theirs, and hashing is the dearest part of a record's keys. */
type ListPrefixes = Map<string, Prefixes>;

interface IndexEntry {
  readonly table: IndexTable;
  readonly indexKey: Uint8Array;
}

export function getEntry(tables: Environment, key: Uint8Array): StoredEntry | undefined {
  const text = tables.records.get(key);
  return text === undefined ? undefined : decodeEntry(text);
}

export function getRecord(tables: Environment, key: Uint8Array): KeyRecord | undefined {
  const entry = getEntry(tables, key);
  return entry !== undefined && "record" in entry ? entry.record : undefined;
}

/** A record to be added, with all that can be made before the write lock is taken: other processes wait for that. */
export interface NewRecord {
  readonly key: Uint8Array;
  /** The entry, for when there is no tombstone. */
  readonly text: string;
  readonly indexEntries: readonly IndexEntry[];
}

/** Throws a RangeError for an id that cannot be stored. */
export function prepareRecord(tables: Environment, record: KeyRecord, prefixes: ListPrefixes = new Map()): NewRecord {
  const key = recordKey(record);
  if (key === undefined) throw new RangeError("a key id or tenant id that cannot be stored");
  return {
    key,
    text: encodeRecord({ ...record, version: FIRST_VERSION }),
    indexEntries: [...listEntries(tables, record, prefixes), ...timeEntries(tables, key, record)],
  };
}

export function prepareRecords(tables: Environment, records: readonly KeyRecord[]): NewRecord[] {
  const prefixes: ListPrefixes = new Map();
  return records.map((record) => prepareRecord(tables, record, prefixes));
}

/** Writes a record, on the version of a tombstone in its place. Answers the entry; `undefined`: there is a record. */
export function addRecord(tables: Environment, added: NewRecord): string | undefined {
  const { key, indexEntries } = added;
  const found = getEntry(tables, key);
  if (found !== undefined && "record" in found) return undefined;
  let { text } = added;
  if (found !== undefined) {
    const { version, deleteTime } = found.tombstone;
    tables.tombstones.remove(timeKey(deleteTime, key));
    text = encodeRecord({ ...decodeRecord(text), version: version + 1 });
  }
  for (const { table, indexKey } of indexEntries) table.put(indexKey, NO_VALUE);
  tables.records.put(key, text);
  return text;
}

/** Writes the next version of a record. The fields that lists are ordered by never change, so their entries stay. */
export function replaceRecord(tables: Environment, key: Uint8Array, before: KeyRecord, after: KeyRecord): KeyRecord {
  for (const { table, indexKey } of timeEntries(tables, key, before)) table.remove(indexKey);
  for (const { table, indexKey } of timeEntries(tables, key, after)) table.put(indexKey, NO_VALUE);
  const text = encodeRecord(after);
  tables.records.put(key, text);
  return decodeRecord(text);
}

export function buryRecord(tables: Environment, key: Uint8Array, record: KeyRecord, deleteTime: Date): void {
  const entries = [...listEntries(tables, record), ...timeEntries(tables, key, record)];
  for (const { table, indexKey } of entries) table.remove(indexKey);
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
  return listBefore(tables, tables.pending, createdBefore, limit);
}

export function listSealedRecords(tables: Environment, expiredBefore: Date, limit: number): KeyRecord[] {
  return listBefore(tables, tables.sealed, expiredBefore, limit);
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

function listBefore(tables: Environment, table: IndexTable, before: Date, limit: number): KeyRecord[] {
  const keys = table.getKeys({ end: timeBound(before), limit });
  return Array.from(keys, (key) => mustGet(tables, recordKeyFromTimeKey(key)));
}

/** The entries that every record has, all its life. */
function listEntries(tables: Environment, record: KeyRecord, prefixes: ListPrefixes = new Map()): IndexEntry[] {
  const { kind, actor } = listPrefixes(record, prefixes);
  return [
    { table: tables.byKind, indexKey: listKey(kind, record) },
    { table: tables.byActor, indexKey: listKey(actor, record) },
  ];
}

function listPrefixes({ tenantId, kind, actorId }: KeyRecord, known: ListPrefixes): Prefixes {
  const name = JSON.stringify([tenantId, kind, actorId]);
  const found = known.get(name);
  if (found !== undefined) return found;
  const ofKind = listPrefix(tenantId, kind);
  const ofActor = listPrefix(tenantId, kind, actorId);
  if (ofKind === undefined || ofActor === undefined) throw new RangeError("a tenant id that cannot be stored");
  const prefixes = { kind: ofKind, actor: ofActor };
  known.set(name, prefixes);
  return prefixes;
}

/** The entries of what the sweeper has to do with a record, now or later. */
function timeEntries(tables: Environment, key: Uint8Array, record: KeyRecord): IndexEntry[] {
  const { pending, sealedSecret } = record;
  const entries: IndexEntry[] = [];
  if (pending !== undefined) entries.push({ table: tables.pending, indexKey: timeKey(record.createTime, key) });
  if (sealedSecret !== undefined) {
    entries.push({ table: tables.sealed, indexKey: timeKey(sealedSecret.expireTime, key) });
  }
  return entries;
}

function mustGet(tables: Environment, key: Uint8Array): KeyRecord {
  const record = getRecord(tables, key);
  if (record === undefined) throw new Error("an index table names a record that does not exist");
  return record;
}
