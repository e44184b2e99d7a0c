/**
 * The records and their index tables, kept in agreement. All functions run inside one transaction or on one snapshot, but for
 * those that prepare.
 */
import {
  type KeyId,
  type KeyRecord,
  type KeyUse,
  type ListQuery,
  type ListSlice,
  type RestoreResult,
  type ScanSlice,
  wholeSlice,
} from "../key-store.js";
import type { Tables } from "./environment.js";
import {
  idFromRecordKey,
  type ListName,
  latestTimeBound,
  latestTimeKey,
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

type IndexTable = Tables["pending"];

/** A list that a record is in. */
interface ListPlace {
  readonly table: IndexTable;
  readonly prefix: Buffer;
}

/** By what they are made of. Most records of one call share theirs, and hashing is the dearest part of a record's keys. */
type ListPlaces = Map<string, readonly ListPlace[]>;

interface IndexEntry {
  readonly table: IndexTable;
  readonly indexKey: Uint8Array;
}

export function getEntry(tables: Tables, key: Uint8Array): StoredEntry | undefined {
  const text = tables.records.get(key);
  return text === undefined ? undefined : decodeEntry(text);
}

export function getRecord(tables: Tables, key: Uint8Array): KeyRecord | undefined {
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
export function prepareRecord(tables: Tables, record: KeyRecord, places?: ListPlaces): NewRecord {
  return prepareEntry(tables, { ...record, version: FIRST_VERSION }, places);
}

/** At the record's own version. */
function prepareEntry(tables: Tables, record: KeyRecord, places: ListPlaces = new Map()): NewRecord {
  const key = recordKey(record);
  if (key === undefined) throw new RangeError("a key id or tenant id that cannot be stored");
  return {
    key,
    text: encodeRecord(record),
    indexEntries: [...listEntries(tables, record, places), ...timeEntries(tables, key, record)],
  };
}

export function prepareRecords(tables: Tables, records: readonly KeyRecord[]): NewRecord[] {
  const places: ListPlaces = new Map();
  return records.map((record) => prepareRecord(tables, record, places));
}

/** As `prepareRecords`, at their own versions. */
export function prepareRestored(tables: Tables, records: readonly KeyRecord[]): (NewRecord & { record: KeyRecord })[] {
  const places: ListPlaces = new Map();
  return records.map((record) => ({ ...prepareEntry(tables, record, places), record }));
}

/** Writes a record at its own version, in the place of nothing or of something older. */
export function restoreRecord(
  tables: Tables,
  { key, text, indexEntries, record }: NewRecord & { record: KeyRecord },
): RestoreResult {
  const found = getEntry(tables, key);
  if (found !== undefined && "tombstone" in found) {
    if (found.tombstone.version >= record.version) return "kept";
    tables.tombstones.remove(timeKey(found.tombstone.deleteTime, key));
  } else if (found !== undefined) {
    const { version, deriveSeed } = found.record;
    if (version >= record.version) {
      const isSame = version === record.version && Buffer.compare(deriveSeed, record.deriveSeed) === 0;
      return isSame ? "restored" : "kept";
    }
    const entries = [...listEntries(tables, found.record), ...timeEntries(tables, key, found.record)];
    for (const { table, indexKey } of entries) table.remove(indexKey);
  }
  for (const { table, indexKey } of indexEntries) table.put(indexKey, NO_VALUE);
  tables.records.put(key, text);
  return "restored";
}

/** Throws a RangeError for an id that cannot be stored. */
export function scanRecords(tables: Tables, after: KeyId | undefined, limit: number): ScanSlice {
  const start = after && recordKey(after);
  if (after !== undefined && start === undefined) throw new RangeError("a key id or tenant id that cannot be stored");
  const range = start === undefined ? { limit } : { start, exclusiveStart: true, limit };
  const records: KeyRecord[] = [];
  let looked = 0;
  let last: Uint8Array | undefined;
  for (const { key, value } of tables.records.getRange(range)) {
    const entry = decodeEntry(value);
    if ("record" in entry) records.push(entry.record);
    last = key;
    looked += 1;
  }
  return { records, ...(last !== undefined && looked === limit && { end: idFromRecordKey(last) }) };
}

/** Writes a record, on the version of a tombstone in its place. Answers the entry; `undefined`: there is a record. */
export function addRecord(tables: Tables, added: NewRecord): string | undefined {
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

/** Writes the next version of a record. What lists are of and ordered by never changes, but for the status. */
export function replaceRecord(tables: Tables, key: Uint8Array, before: KeyRecord, after: KeyRecord): KeyRecord {
  const movedEntries = (record: KeyRecord) => [
    ...(before.listed.status === after.listed.status ? [] : statusEntries(tables, record)),
    ...timeEntries(tables, key, record),
  ];
  for (const { table, indexKey } of movedEntries(before)) table.remove(indexKey);
  for (const { table, indexKey } of movedEntries(after)) table.put(indexKey, NO_VALUE);
  const text = encodeRecord(after);
  tables.records.put(key, text);
  return decodeRecord(text);
}

/** Writes the time of a use into a record, which is otherwise as it was. */
export function recordUse(tables: Tables, { time, ...id }: KeyUse): void {
  const key = recordKey(id);
  const record = key && getRecord(tables, key);
  if (key === undefined || record === undefined) return;
  const isLater = record.lastUsedTime === undefined || record.lastUsedTime < time;
  if (isLater && record.createTime <= time) tables.records.put(key, encodeRecord({ ...record, lastUsedTime: time }));
}

export function buryRecord(tables: Tables, key: Uint8Array, record: KeyRecord, deleteTime: Date): void {
  const entries = [...listEntries(tables, record), ...timeEntries(tables, key, record)];
  for (const { table, indexKey } of entries) table.remove(indexKey);
  tables.records.put(key, encodeTombstone({ version: record.version + 1, deleteTime }));
  tables.tombstones.put(timeKey(deleteTime, key), NO_VALUE);
}

export function listRecords(tables: Tables, query: ListQuery): ListSlice {
  const { after, createdFrom, limit } = query;
  const prefix = listPrefix(query);
  if (prefix === undefined) return wholeSlice([], limit);
  const range = { ...listRange(prefix, after, createdFrom), exclusiveStart: after !== undefined, limit };
  const keys = listTable(tables, query).getKeys(range);
  return wholeSlice(
    Array.from(keys, (key) => mustGet(tables, recordKeyFromListKey(prefix, key))),
    limit,
  );
}

export function listDueRecords(tables: Tables, before: Date, limit: number): KeyRecord[] {
  return listTo(tables, tables.due, timeBound(before), limit);
}

export function listAheadRecords(tables: Tables, after: Date, limit: number): KeyRecord[] {
  return listTo(tables, tables.since, latestTimeBound(after), limit);
}

export function listPendingRecords(tables: Tables, createdBefore: Date, limit: number): KeyRecord[] {
  return listTo(tables, tables.pending, timeBound(createdBefore), limit);
}

export function listSealedRecords(tables: Tables, expiredBefore: Date, limit: number): KeyRecord[] {
  return listTo(tables, tables.sealed, timeBound(expiredBefore), limit);
}

/** Answers how many went. */
export function removeOldTombstones(tables: Tables, deletedBefore: Date, limit: number): number {
  // Collected first: the table must not change under the cursor.
  const keys = Array.from(tables.tombstones.getKeys({ end: timeBound(deletedBefore), limit }));
  for (const key of keys) {
    tables.tombstones.remove(key);
    tables.records.remove(recordKeyFromTimeKey(key));
  }
  return keys.length;
}

/** The records of a table that is ordered by a time, up to a bound. */
function listTo(tables: Tables, table: IndexTable, end: Buffer, limit: number): KeyRecord[] {
  const keys = table.getKeys({ end, limit });
  return Array.from(keys, (key) => mustGet(tables, recordKeyFromTimeKey(key)));
}

/** Fills the tables that a directory from before them has not. */
export function addStatusTables(tables: Tables): void {
  for (const { key, value } of tables.records.getRange()) {
    const entry = decodeEntry(value);
    if (!("record" in entry)) continue;
    const entries = [...statusEntries(tables, entry.record), ...timeEntries(tables, key, entry.record)];
    for (const { table, indexKey } of entries) table.put(indexKey, NO_VALUE);
  }
}

function listTable(tables: Tables, { actorId, status }: ListName): IndexTable {
  if (status === undefined) return actorId === undefined ? tables.byKind : tables.byActor;
  return actorId === undefined ? tables.byStatus : tables.byActorAndStatus;
}

/** The entries that every record has. */
function listEntries(tables: Tables, record: KeyRecord, places?: ListPlaces): IndexEntry[] {
  const { tenantId, kind, actorId } = record;
  const lists = [
    { tenantId, kind },
    { tenantId, kind, actorId },
  ];
  return [...entriesOf(tables, record, lists, places), ...statusEntries(tables, record, places)];
}

/** Those of them that move with the status. */
function statusEntries(tables: Tables, record: KeyRecord, places?: ListPlaces): IndexEntry[] {
  const { tenantId, kind, actorId } = record;
  const { status } = record.listed;
  const lists = [
    { tenantId, kind, status },
    { tenantId, kind, status, actorId },
  ];
  return entriesOf(tables, record, lists, places);
}

function entriesOf(
  tables: Tables,
  record: KeyRecord,
  lists: readonly ListName[],
  known: ListPlaces = new Map(),
): IndexEntry[] {
  const name = JSON.stringify(lists);
  const places = known.get(name) ?? lists.map((list) => listPlace(tables, list));
  known.set(name, places);
  return places.map(({ table, prefix }) => ({ table, indexKey: listKey(prefix, record) }));
}

function listPlace(tables: Tables, list: ListName): ListPlace {
  const prefix = listPrefix(list);
  if (prefix === undefined) throw new RangeError("a tenant id that cannot be stored");
  return { table: listTable(tables, list), prefix };
}

/** The entries of what the sweeper has to do with a record, now or later. */
function timeEntries(tables: Tables, key: Uint8Array, record: KeyRecord): IndexEntry[] {
  const { listed, pending, sealedSecret } = record;
  const entries: IndexEntry[] = [];
  if (listed.until !== undefined) entries.push({ table: tables.due, indexKey: timeKey(listed.until, key) });
  if (listed.since !== undefined) entries.push({ table: tables.since, indexKey: latestTimeKey(listed.since, key) });
  if (pending !== undefined) entries.push({ table: tables.pending, indexKey: timeKey(record.createTime, key) });
  if (sealedSecret !== undefined) {
    entries.push({ table: tables.sealed, indexKey: timeKey(sealedSecret.expireTime, key) });
  }
  return entries;
}

function mustGet(tables: Tables, key: Uint8Array): KeyRecord {
  const record = getRecord(tables, key);
  if (record === undefined) throw new Error("an index table names a record that does not exist");
  return record;
}
