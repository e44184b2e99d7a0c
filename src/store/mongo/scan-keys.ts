import type { KeyId, ScanSlice } from "../key-store.js";
import { documentId, type KeyCollection, recordFromDocument } from "./key-document.js";

/** A slice of all documents by `_id`. Tombstones are looked at too, so that many of them make no slice slow. */
export async function scanKeys(
  keys: KeyCollection,
  after: KeyId | undefined,
  limit: number,
  maxTimeMs: number,
): Promise<ScanSlice> {
  if (limit < 1) return { records: [] }; // the server takes 0 for "all"
  const filter = after === undefined ? {} : { _id: { $gt: documentId(after) } };
  // One batch: a slice is one round trip.
  const options = { hint: { _id: 1 }, sort: { _id: 1 }, limit, batchSize: limit, maxTimeMS: maxTimeMs } as const;
  const documents = await keys.find(filter, options).toArray();
  const last = documents.length === limit ? documents.at(-1) : undefined;
  return {
    records: documents.filter(({ deleted }) => deleted !== true).map(recordFromDocument),
    ...(last !== undefined && { end: { tenantId: last.tenant_id, keyId: last.key_id } }),
  };
}
