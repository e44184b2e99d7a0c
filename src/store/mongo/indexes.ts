import { type CreateIndexesOptions, type IndexDescription, MongoServerError } from "mongodb";
import type { KeyCollection } from "./key-document.js";

/** Named, so that each query hints the one made for it and no plan depends on statistics. */
export const INDEX = {
  byKind: "by_kind",
  byActor: "by_actor",
  byStatus: "by_status",
  byActorAndStatus: "by_actor_and_status",
  due: "due",
  since: "since",
  pending: "pending",
  sealed: "sealed",
  tombstones: "tombstones",
  changes: "changes",
} as const;

export type IndexName = (typeof INDEX)[keyof typeof INDEX];

/** First what a list filters on, then what it is ordered by. Tombstones have no `kind`, so they are in no list. */
export const INDEXES: Readonly<Record<IndexName, Omit<IndexDescription, "name">>> = {
  by_kind: { key: { tenant_id: 1, kind: 1, create_time: -1, key_id: 1 } },
  by_actor: { key: { tenant_id: 1, kind: 1, actor_id: 1, create_time: -1, key_id: 1 } },
  by_status: { key: { tenant_id: 1, kind: 1, "listed.status": 1, create_time: -1, key_id: 1 } },
  by_actor_and_status: {
    key: { tenant_id: 1, kind: 1, actor_id: 1, "listed.status": 1, create_time: -1, key_id: 1 },
  },
  due: { key: { "listed.until": 1 }, partialFilterExpression: { "listed.until": { $exists: true } } },
  since: { key: { "listed.since": -1 }, partialFilterExpression: { "listed.since": { $exists: true } } },
  pending: { key: { create_time: 1 }, partialFilterExpression: { pending: { $exists: true } } },
  sealed: {
    key: { "sealed_secret.expire_time": 1 },
    partialFilterExpression: { sealed_secret: { $exists: true } },
  },
  tombstones: { key: { changed_at: 1 }, partialFilterExpression: { deleted: true } },
  changes: {
    // All that is asked of a change, so that no document is read. (Servers before 5.0 refuse a second index on one key.)
    key: { changed_at: 1, version: 1, _id: 1 },
    partialFilterExpression: { changed_at: { $exists: true } },
  },
};

/** A server that builds the same indexes for several processes at once may refuse all but one of them. */
const MAX_ATTEMPTS = 5;

/** Creates those of the named indexes that are missing. */
export async function createIndexes(
  keys: KeyCollection,
  names: readonly IndexName[],
  options?: CreateIndexesOptions,
): Promise<void> {
  const descriptions = names.map((name) => ({ name, ...INDEXES[name] }));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await keys.createIndexes(descriptions, options);
      return;
    } catch (error) {
      if (!(error instanceof MongoServerError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
