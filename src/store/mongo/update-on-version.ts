import { randomBytes } from "node:crypto";
import type { UpdateFilter } from "mongodb";
import { ServiceError } from "../../errors.js";
import type { KeyCollection, KeyDocument } from "./key-document.js";
import { writeUntilKnown } from "./write-until-known.js";

const WRITE_ID_BYTES = 12;

/** A key, no tombstone, at a version. */
export interface KeyVersion {
  readonly _id: string;
  readonly version: number;
}

/**
 * Makes the next version of a document, whose `update` increments the version. Answers the document afterwards; `undefined`
 * is a definite "no match". Throws UNAVAILABLE when later updates have covered the traces of its own.
 */
export async function updateOnVersion(
  keys: KeyCollection,
  key: KeyVersion,
  update: UpdateFilter<KeyDocument>,
  timeoutMs: number,
): Promise<KeyDocument | undefined> {
  // `deleted: null` matches documents without the field: keys, and no tombstones.
  const onVersion = { ...key, deleted: null as unknown as true };
  const writeId = randomBytes(WRITE_ID_BYTES);
  const marked: UpdateFilter<KeyDocument> = { ...update, $set: { ...update.$set, write_id: writeId } };
  return writeUntilKnown(timeoutMs, async (maxTimeMs, earlierFailure) => {
    const options = { returnDocument: "after", maxTimeMS: maxTimeMs } as const;
    const updated = await keys.findOneAndUpdate(onVersion, marked, options);
    if (updated !== null) return updated;
    if (earlierFailure === undefined) return undefined;
    const found = await keys.findOne({ _id: key._id }, { maxTimeMS: maxTimeMs });
    return findEarlierUpdate(found, key, writeId, earlierFailure);
  });
}

/** What became of an earlier try, from the document that a majority has. */
function findEarlierUpdate(
  found: KeyDocument | null,
  key: KeyVersion,
  writeId: Buffer,
  earlierFailure: unknown,
): KeyDocument | undefined {
  const version = Number(found?.version);
  // One update only can have made the next version.
  if (found !== null && version === key.version + 1) {
    return found.write_id !== undefined && writeId.equals(found.write_id) ? found : undefined;
  }
  // Still there, so the answer was that of a server which has been deposed.
  if (found !== null && version === key.version && found.deleted !== true) throw earlierFailure;
  throw new ServiceError("UNAVAILABLE", "the key store cannot tell whether the change was made");
}
