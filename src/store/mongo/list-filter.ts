import type { Filter } from "mongodb";
import { compileMongo, type MongoFields } from "../../query/compile-mongo.js";
import type { ListCursor, ListQuery } from "../key-store.js";
import { INDEX } from "./indexes.js";
import type { KeyDocument } from "./key-document.js";
import { escapeKey } from "./metadata-document.js";

/** In the order of all list indexes. */
export const LIST_ORDER = { create_time: -1, key_id: 1 } as const;

/**
 * The fields of a filter that documents have as it sees them. Not the status, which the clock decides, no revocation's reason,
 * which is not shown before the revocation has come, and no names of the API's enums.
 */
const DOCUMENT_FIELDS: MongoFields = {
  key_id: { path: "key_id" },
  name: { path: "name" },
  actor_id: { path: "actor_id" },
  scopes: { path: "scopes" },
  metadata: { path: "metadata", escapeKey },
  create_time: { path: "create_time" },
  update_time: { path: "update_time" },
  expire_time: { path: "expire_time" },
  last_used_time: { path: "last_used_time" },
};

/** The index that a list is read by. */
export function listIndex({ actorId, status }: ListQuery): string {
  if (status === undefined) return actorId === undefined ? INDEX.byKind : INDEX.byActor;
  return actorId === undefined ? INDEX.byStatus : INDEX.byActorAndStatus;
}

/** The documents of a list after its cursor. Throws a TypeError for values that could be read as operators. */
export function listFilter(query: ListQuery): Filter<KeyDocument> {
  const { tenantId, kind, actorId, status, createdFrom, after } = query;
  const texts = [tenantId, kind, actorId ?? "", status ?? "", after?.keyId ?? ""];
  if (!texts.every((text) => typeof text === "string"))
    throw new TypeError("a list query with a value that is no text");
  // These bound the index scan; `isAfter` then drops the few of the same millisecond that the last page had.
  const times = { ...(after && { $lte: after.createTime }), ...(createdFrom && { $gte: createdFrom }) };
  return {
    tenant_id: tenantId,
    kind,
    ...(actorId !== undefined && { actor_id: actorId }),
    ...(status !== undefined && { "listed.status": status }),
    ...(Object.keys(times).length > 0 && { create_time: times }),
    ...(after && isAfter(after)),
  };
}

/** What a document must be besides to match the filter of a list; `undefined` when none is known not to. */
export function matchFilter({ filter }: ListQuery): Filter<KeyDocument> | undefined {
  if (filter === undefined) return undefined;
  const { query } = compileMongo(filter, DOCUMENT_FIELDS);
  return Object.keys(query).length === 0 ? undefined : (query as Filter<KeyDocument>);
}

/** The documents of a list up to a place in it, inclusive. */
export function isUpTo({ createTime, keyId }: ListCursor): Filter<KeyDocument> {
  return {
    $and: [
      { create_time: { $gte: createTime } },
      { $or: [{ create_time: { $gt: createTime } }, { key_id: { $lte: keyId } }] },
    ],
  };
}

function isAfter({ createTime, keyId }: ListCursor): Filter<KeyDocument> {
  return { $or: [{ create_time: { $lt: createTime } }, { key_id: { $gt: keyId } }] };
}
