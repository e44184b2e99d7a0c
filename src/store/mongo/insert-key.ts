import { ServiceError } from "../../errors.js";
import type { InsertResult, KeyRecord } from "../key-store.js";
import {
  documentFromRecord,
  documentId,
  FIRST_VERSION,
  type KeyCollection,
  recordFromDocument,
} from "./key-document.js";
import { replaceTombstone } from "./tombstone.js";
import { isDuplicateKey } from "./unavailable.js";

/** A round is lost only when the tombstone was replaced or removed in between, which then decides the next one. */
const MAX_ROUNDS = 8;

/** Creates a document, or replaces the tombstone in its place on the tombstone's version. */
export async function insertKey(keys: KeyCollection, record: KeyRecord, maxTimeMs: number): Promise<InsertResult> {
  for (let round = 1; ; round += 1) {
    const result = (await insertNew(keys, record, maxTimeMs)) ?? (await replaceFound(keys, record, maxTimeMs));
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
async function replaceFound(
  keys: KeyCollection,
  record: KeyRecord,
  maxTimeMs: number,
): Promise<InsertResult | undefined> {
  const _id = documentId(record);
  const found = await keys.findOne({ _id }, { projection: { version: 1, deleted: 1 }, maxTimeMS: maxTimeMs });
  if (found === null) return undefined;
  if (found.deleted !== true) return { outcome: "exists" };
  const replaced = await replaceTombstone(keys, record, found.version, maxTimeMs);
  return replaced && { outcome: "inserted", record: recordFromDocument(replaced) };
}
