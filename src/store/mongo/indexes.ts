import { type IndexDescription, MongoServerError } from "mongodb";
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
} as const;

/** First what a list filters on, then what it is ordered by. Tombstones have no `kind`, so they are in no list. */
const INDEXES: IndexDescription[] = [
  { name: INDEX.byKind, key: { tenant_id: 1, kind: 1, create_time: -1, key_id: 1 } },
  { name: INDEX.byActor, key: { tenant_id: 1, kind: 1, actor_id: 1, create_time: -1, key_id: 1 } },
  { name: INDEX.byStatus, key: { tenant_id: 1, kind: 1, "listed.status": 1, create_time: -1, key_id: 1 } },
  {
    name: INDEX.byActorAndStatus,
    key: { tenant_id: 1, kind: 1, actor_id: 1, "listed.status": 1, create_time: -1, key_id: 1 },
  },
  {
    name: INDEX.due,
    key: { "listed.until": 1 },
    partialFilterExpression: { "listed.until": { $exists: true } },
  },
  {
    name: INDEX.since,
    key: { "listed.since": -1 },
    partialFilterExpression: { "listed.since": { $exists: true } },
  },
  { name: INDEX.pending, key: { create_time: 1 }, partialFilterExpression: { pending: { $exists: true } } },
  {
    name: INDEX.sealed,
    key: { "sealed_secret.expire_time": 1 },
    partialFilterExpression: { sealed_secret: { $exists: true } },
  },
  { name: INDEX.tombstones, key: { changed_at: 1 }, partialFilterExpression: { deleted: true } },
];

/** A server that builds the same indexes for several processes at once may refuse all but one of them. */
const MAX_ATTEMPTS = 5;

/** Creates what is missing. Does nothing to what is there, so every process may do it at every start. */
export async function createIndexes(keys: KeyCollection): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await keys.createIndexes(INDEXES);
      return;
    } catch (error) {
      if (!(error instanceof MongoServerError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
