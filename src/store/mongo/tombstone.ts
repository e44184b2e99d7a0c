import type { UpdateFilter } from "mongodb";
import type { KeyRecord } from "../key-store.js";
import { documentFromRecord, type KeyCollection, type KeyDocument } from "./key-document.js";

/** What a tombstone keeps, of the fields of a key. */
type TombstoneField = "_id" | "tenant_id" | "key_id" | "version" | "changed_at" | "write_id" | "deleted";

/** Complete: the compiler asks for every field there is. */
export const KEY_FIELDS: Readonly<Record<Exclude<keyof KeyDocument, TombstoneField>, true>> = {
  kind: true,
  name: true,
  actor_id: true,
  scopes: true,
  visibility: true,
  metadata: true,
  rate_limit_policy: true,
  allowed_cidrs: true,
  create_time: true,
  update_time: true,
  expire_time: true,
  last_used_time: true,
  revocation: true,
  listed: true,
  secret_hash: true,
  derive_seed: true,
  successor: true,
  pending: true,
  idempotency: true,
  sealed_secret: true,
};

/** Makes a key a bare tombstone. Operators and no replacement, since only they can set the server's time. */
export function buryUpdate(): UpdateFilter<KeyDocument> {
  return {
    $inc: { version: 1 },
    $set: { deleted: true },
    $unset: KEY_FIELDS,
    $currentDate: { changed_at: true },
  } as UpdateFilter<KeyDocument>;
}

/** Makes a tombstone at a version the key that `record` is, at the next one. `undefined`: there is no such tombstone. */
export async function replaceTombstone(
  keys: KeyCollection,
  record: KeyRecord,
  version: KeyDocument["version"],
  maxTimeMs: number,
): Promise<KeyDocument | undefined> {
  const document = documentFromRecord(record, Number(version) + 1);
  const onVersion = { _id: document._id, version, deleted: true } as const;
  const replaced = await keys.findOneAndUpdate(onVersion, replaceUpdate(document), {
    returnDocument: "after",
    maxTimeMS: maxTimeMs,
  });
  return replaced ?? undefined;
}

function replaceUpdate(document: KeyDocument): UpdateFilter<KeyDocument> {
  const { _id, ...fields } = document;
  const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return {
    $set: set,
    // The new key is known by its derive seed.
    $unset: { deleted: true, write_id: true },
    $currentDate: { changed_at: true },
  } as unknown as UpdateFilter<KeyDocument>;
}
