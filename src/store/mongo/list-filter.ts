import type { Filter } from "mongodb";
import type { ListQuery } from "../key-store.js";
import type { KeyDocument } from "./key-document.js";

/** In the order of both list indexes. */
export const LIST_ORDER = { create_time: -1, key_id: 1 } as const;

/** The documents of a list after its cursor. Throws a TypeError for values that could be read as operators. */
export function listFilter(query: ListQuery): Filter<KeyDocument> {
  const { tenantId, kind, actorId, after } = query;
  const texts = [tenantId, kind, actorId ?? "", after?.keyId ?? ""];
  if (!texts.every((text) => typeof text === "string"))
    throw new TypeError("a list query with a value that is no text");
  return {
    tenant_id: tenantId,
    kind,
    ...(actorId === undefined ? {} : { actor_id: actorId }),
    // `$lte` bounds the index scan; the `$or` then drops the few of the same millisecond that the last page had.
    ...(after === undefined
      ? {}
      : {
          create_time: { $lte: after.createTime },
          $or: [{ create_time: { $lt: after.createTime } }, { key_id: { $gt: after.keyId } }],
        }),
  };
}
