import { MongoBulkWriteError } from "mongodb";
import { ServiceError } from "../../errors.js";
import type { InsertResult, KeyRecord } from "../key-store.js";
import { writeTimeMs } from "./client-options.js";
import {
  documentFromRecord,
  FIRST_VERSION,
  type KeyCollection,
  type KeyDocument,
  recordFromDocument,
} from "./key-document.js";
import { isOutcomeUnknown } from "./outcome-unknown.js";
import { replaceTombstone } from "./tombstone.js";
import { isDuplicateKey } from "./unavailable.js";
import { MAX_TRIES } from "./write-until-known.js";

/** A round that does not fail is lost only to other writes of the same keys. */
const MAX_ROUNDS = 8;
/** Tombstones that are replaced at once. The other connections of the pool are for other calls. */
const REPLACED_AT_ONCE = 8;

/** A record whose result is not known yet. */
interface OpenInsert {
  readonly index: number;
  readonly record: KeyRecord;
  /** At the first version. */
  readonly document: KeyDocument;
  /** The outcome of a write of it is unknown, so a key with its derive seed is its own. */
  isUncertain: boolean;
  /** The version of the tombstone whose replacement has an unknown outcome. */
  replacedVersion?: number;
}

interface BulkInsert {
  readonly keys: KeyCollection;
  /** For one command at the server. */
  readonly maxTimeMs: number;
  readonly results: InsertResult[];
  /** Of the last write of unknown outcome. */
  failure?: unknown;
}

/** The rest of the document only where FOUND_FIELDS did not leave it out. */
type FoundDocument = Pick<KeyDocument, "_id" | "version" | "deleted" | "derive_seed">;
const FOUND_FIELDS = { version: 1, deleted: 1, derive_seed: 1 };

/**
 * Creates many documents, or replaces the tombstones in their places on their versions; results in the order of `records`.
 *
 * A round writes all that is open as one unordered bulk, which the driver splits to fit into messages, and reads what may be
 * there already: another's key is `exists`, an own one is inserted, a tombstone is replaced. What is gone again by then, or
 * not there after a write of unknown outcome, is left to the next round. The read is one of a majority, so what it
 * recognises is as durable as what was acknowledged.
 */
export async function insertKeys(
  keys: KeyCollection,
  records: readonly KeyRecord[],
  timeoutMs: number,
): Promise<InsertResult[]> {
  // The result of a record whose id an earlier one has, whatever becomes of that.
  const results: InsertResult[] = records.map(() => ({ outcome: "exists" }));
  const first = new Map<string, OpenInsert>();
  for (const [index, record] of records.entries()) {
    const document = documentFromRecord(record, FIRST_VERSION);
    if (!first.has(document._id)) first.set(document._id, { index, record, document, isUncertain: false });
  }
  const bulk: BulkInsert = { keys, maxTimeMs: writeTimeMs(timeoutMs), results };
  const startTime = performance.now();
  let failedRounds = 0;
  let open = [...first.values()];
  for (let round = 1; open.length > 0; round += 1) {
    const before = bulk.failure;
    open = await settle(bulk, await insertNew(bulk, open));
    if (bulk.failure !== before) failedRounds += 1;
    if (open.length === 0) break;
    // Later nobody waits any more, and a write would surprise whoever has read in the meantime.
    const isLate = performance.now() - startTime > timeoutMs;
    if (failedRounds === MAX_TRIES || (isLate && failedRounds > 0)) throw bulk.failure;
    if (isLate || round === MAX_ROUNDS) throw new ServiceError("UNAVAILABLE", "too many writes to some keys at once");
  }
  return results;
}

/** Answers those that were not inserted, or may not have been. */
async function insertNew(bulk: BulkInsert, open: readonly OpenInsert[]): Promise<readonly OpenInsert[]> {
  const documents = open.map((insert) => insert.document);
  const isOpen = new Set<number>();
  try {
    await bulk.keys.insertMany(documents, { ordered: false, maxTimeMS: bulk.maxTimeMs });
  } catch (error) {
    const duplicates = duplicatesOf(error, documents.length);
    if (duplicates === undefined) {
      if (!isOutcomeUnknown(error)) throw error;
      bulk.failure = error;
      for (const insert of open) insert.isUncertain = true;
      return open;
    }
    for (const position of duplicates) isOpen.add(position);
  }
  for (const [position, insert] of open.entries()) {
    if (!isOpen.has(position)) setInserted(bulk, insert, insert.document);
  }
  return open.filter((_insert, position) => isOpen.has(position));
}

/**
 * The positions of the duplicates, when an error says nothing else: every other document was inserted, and durably.
 * `undefined`: it says something else. Whatever ends a bulk early comes as a bulk error too, and may hide what came before.
 */
function duplicatesOf(error: unknown, documents: number): readonly number[] | undefined {
  if (!(error instanceof MongoBulkWriteError) || !isDuplicateKey(error)) return undefined;
  const failed = error.result.getWriteErrors();
  const isAllKnown = error.insertedCount + failed.length === documents && !error.result.getWriteConcernError();
  if (!isAllKnown || failed.some(({ code }) => code !== error.code)) return undefined;
  return failed.map(({ index }) => index);
}

/** Finds out what became of the inserts. Answers those that are to be tried again. */
async function settle(bulk: BulkInsert, open: readonly OpenInsert[]): Promise<OpenInsert[]> {
  const found = await readFound(bulk, open);
  const again: OpenInsert[] = [];
  const replacements: [OpenInsert, FoundDocument][] = [];
  for (const insert of open) {
    const there = found.get(insert.document._id);
    if (there === undefined) again.push(insert);
    else if (there.deleted === true) replacements.push([insert, there]);
    else if (insert.isUncertain && isOwn(insert, there)) setInserted(bulk, insert, there as KeyDocument);
  }
  // Another tombstone than before an uncertain write: was that key its own? To create it again would undo a delete.
  const isUnclear = replacements.some(([insert, { version }]) => {
    return insert.isUncertain && insert.replacedVersion !== Number(version);
  });
  if (isUnclear) throw bulk.failure;
  for (let start = 0; start < replacements.length; start += REPLACED_AT_ONCE) {
    const some = replacements.slice(start, start + REPLACED_AT_ONCE);
    const left = await Promise.all(some.map(([insert, tombstone]) => replaceFound(bulk, insert, tombstone)));
    again.push(...left.filter((insert) => insert !== undefined));
  }
  return again;
}

async function readFound(bulk: BulkInsert, open: readonly OpenInsert[]): Promise<Map<string, FoundDocument>> {
  const found = new Map<string, FoundDocument>();
  if (open.length === 0) return found;
  const ids = open.map((insert) => insert.document._id);
  const options = { batchSize: ids.length, maxTimeMS: bulk.maxTimeMs };
  // As a whole only where it may be a result.
  const fields = open.some((insert) => insert.isUncertain) ? {} : { projection: FOUND_FIELDS };
  const documents = bulk.keys.find({ _id: { $in: ids } }, { ...options, ...fields });
  for await (const document of documents) found.set(document._id, document);
  return found;
}

function isOwn(insert: OpenInsert, found: FoundDocument): boolean {
  return Buffer.from(insert.document.derive_seed).equals(found.derive_seed);
}

/** Answers the insert when it is to be tried again. */
async function replaceFound(
  bulk: BulkInsert,
  insert: OpenInsert,
  tombstone: FoundDocument,
): Promise<OpenInsert | undefined> {
  try {
    const replaced = await replaceTombstone(bulk.keys, insert.record, tombstone.version, bulk.maxTimeMs);
    if (replaced === undefined) return insert;
    setInserted(bulk, insert, replaced);
    return undefined;
  } catch (error) {
    if (!isOutcomeUnknown(error)) throw error;
    bulk.failure = error;
    insert.isUncertain = true;
    insert.replacedVersion = Number(tombstone.version);
    return insert;
  }
}

function setInserted(bulk: BulkInsert, insert: OpenInsert, document: KeyDocument): void {
  bulk.results[insert.index] = { outcome: "inserted", record: recordFromDocument(document) };
}
