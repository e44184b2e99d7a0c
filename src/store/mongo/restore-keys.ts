import type { AnyBulkWriteOperation } from "mongodb";
import { ServiceError } from "../../errors.js";
import type { KeyRecord, RestoreResult } from "../key-store.js";
import { documentFromRecord, type KeyCollection, type KeyDocument } from "./key-document.js";
import { isOutcomeUnknown } from "./outcome-unknown.js";
import { KEY_FIELDS } from "./tombstone.js";
import { writeUntilKnown } from "./write-until-known.js";

const FOUND_FIELDS = { version: 1, deleted: 1, derive_seed: 1 };

/**
 * Writes documents at the versions of their records, where there is none or an older one. Each is an upsert on an older
 * version: where the document has this version or a newer one it matches nothing, and the insert that it then is fails for the
 * `_id`. What came of it is read back, whatever the server said, so that a later try answers as an earlier one would have.
 */
export async function restoreKeys(
  keys: KeyCollection,
  records: readonly KeyRecord[],
  timeoutMs: number,
): Promise<RestoreResult[]> {
  if (records.length === 0) return [];
  const documents = records.map((record) => documentFromRecord(record, record.version));
  return writeUntilKnown(timeoutMs, async (maxTimeMs) => {
    let failure: unknown;
    try {
      await keys.bulkWrite(documents.map(restoreOperation), { ordered: false, maxTimeMS: maxTimeMs });
    } catch (error) {
      if (!isOutcomeUnknown(error)) throw error;
      failure = error;
    }
    const ids = documents.map(({ _id }) => _id);
    const options = { batchSize: ids.length, maxTimeMS: maxTimeMs, projection: FOUND_FIELDS };
    const found = new Map<string, KeyDocument>();
    for await (const document of keys.find({ _id: { $in: ids } }, options)) found.set(document._id, document);
    return documents.map((document) => {
      const there = found.get(document._id);
      const result = there && compareRestored(document, there);
      if (result !== undefined) return result;
      throw failure ?? new ServiceError("UNAVAILABLE", "a key that was restored could not be read back");
    });
  });
}

function restoreOperation(document: KeyDocument): AnyBulkWriteOperation<KeyDocument> {
  const { _id, ...fields } = document;
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const gone = Object.keys(KEY_FIELDS).filter((field) => !(field in set));
  const update = {
    $set: set,
    $unset: Object.fromEntries([...gone, "deleted", "write_id"].map((field) => [field, true])),
    $currentDate: { changed_at: true },
  };
  const filter = { _id, version: { $lt: document.version as number } };
  return { updateOne: { filter, update, upsert: true } } as unknown as AnyBulkWriteOperation<KeyDocument>;
}

/** `undefined`: it was not written. */
function compareRestored(document: KeyDocument, found: KeyDocument): RestoreResult | undefined {
  const version = Number(found.version);
  if (version < Number(document.version)) return undefined;
  const isSame = version === document.version && found.deleted !== true;
  return isSame && Buffer.from(document.derive_seed).equals(found.derive_seed) ? "restored" : "kept";
}
