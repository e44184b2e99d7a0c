import { ServiceError } from "../../errors.js";
import type { InsertResult, KeyRecord } from "../key-store.js";
import { documentFromRecord, documentId, type KeyCollection, recordFromDocument } from "./key-document.js";
import { replaceUpdate } from "./tombstone.js";
import { isDuplicateKey } from "./unavailable.js";

/** A round is lost only when the tombstone was replaced or removed in between, which then decides the next one. */
const MAX_ROUNDS = 8;
const FIRST_VERSION = 1;

/** Creates a document, or replaces the tombstone in its place on the tombstone's version. */
export async function insertKey(keys: KeyCollection, record: KeyRecord, maxTimeMs: number): Promise<InsertResult> {
  for (let round = 1; ; round += 1) {
    const result = (await insertNew(keys, record, maxTimeMs)) ?? (await replaceTombstone(keys, record, maxTimeMs));
    if (result !== undefined) return result;
    if (round === MAX_ROUNDS) throw new ServiceError("UNAVAILABLE", "too many writes to one key at once");
  }
}

/** `undefined`: there is a key or a tombstone. */
async function insertNew(keys: KeyCollection, record: KeyRecord, maxTimeMs: number): Promise<InsertResult | undefined> {
  const document = documentFromRecord(record, FIRST_VERSION);
  try {
    await keys.insertOne(document, { maxTimeMS: maxTimeMs });
    return { outcome: "inserted", record: recordFromDocument(document) };
  } catch (error) {
    if (isDuplicateKey(error)) return undefined;
    throw error;
  }
}

/** `undefined`: what was there has changed meanwhile. */
async function replaceTombstone(
  keys: KeyCollection,
  record: KeyRecord,
  maxTimeMs: number,
): Promise<InsertResult | undefined> {
  const _id = documentId(record);
  const found = await keys.findOne({ _id }, { projection: { version: 1, deleted: 1 }, maxTimeMS: maxTimeMs });
  if (found === null) return undefined;
  if (found.deleted !== true) return { outcome: "exists" };
  const document = documentFromRecord(record, Number(found.version) + 1);
  const onVersion = { _id, version: found.version, deleted: true } as const;
  const replaced = await keys.findOneAndUpdate(onVersion, replaceUpdate(document), {
    returnDocument: "after",
    maxTimeMS: maxTimeMs,
  });
  return replaced === null ? undefined : { outcome: "inserted", record: recordFromDocument(replaced) };
}
