import { cursorAfter, type ListCursor, type ListQuery, type ListSlice, wholeSlice } from "../key-store.js";
import { type KeyCollection, recordFromDocument } from "./key-document.js";
import { isUpTo, LIST_ORDER, listFilter, listIndex, matchFilter } from "./list-filter.js";

/**
 * A slice of a list. Where the server can leave documents out, it is first asked where `scanLimit` of them end, out of the
 * index alone: a filter that nothing matches would else be tried on the whole list. How many of them it then looks at for
 * `limit` that match it does not say, so all count.
 */
export async function listKeys(keys: KeyCollection, query: ListQuery, maxTimeMs: number): Promise<ListSlice> {
  const { limit, scanLimit = limit } = query;
  if (limit < 1) return wholeSlice([], limit); // the server takes 0 for "all"
  const match = matchFilter(query);
  const filter = listFilter(query);
  // One batch: a page is one round trip.
  const options = { hint: listIndex(query), sort: LIST_ORDER, limit, batchSize: limit, maxTimeMS: maxTimeMs };
  if (match === undefined) {
    const documents = await keys.find(filter, options).toArray();
    return wholeSlice(documents.map(recordFromDocument), limit);
  }
  const end = await scanEnd(keys, query, scanLimit, maxTimeMs);
  const parts = end === undefined ? [filter, match] : [filter, isUpTo(end), match];
  const documents = await keys.find({ $and: parts }, options).toArray();
  const records = documents.map(recordFromDocument);
  const last = records.at(-1);
  if (last !== undefined && records.length === limit) return { records, scanned: scanLimit, end: cursorAfter(last) };
  return { records, scanned: scanLimit, ...(end && { end }) };
}

/** Where the last of `scanLimit` documents is; `undefined` when there are fewer. */
async function scanEnd(
  keys: KeyCollection,
  query: ListQuery,
  scanLimit: number,
  maxTimeMs: number,
): Promise<ListCursor | undefined> {
  const options = {
    hint: listIndex(query),
    sort: LIST_ORDER,
    skip: scanLimit - 1,
    limit: 1,
    projection: { _id: 0, create_time: 1, key_id: 1 },
    maxTimeMS: maxTimeMs,
  };
  const [document] = await keys.find(listFilter(query), options).toArray();
  return document && { createTime: document.create_time, keyId: document.key_id };
}
