import type { Collection, Db } from "mongodb";
import { createIndexes, INDEX } from "./indexes.js";
import type { KeyCollection } from "./key-document.js";

/** The one document of the collection `schema`. */
export interface SchemaDocument {
  readonly _id: string;
  /** Migrations 1 to this one were applied. */
  readonly version: number;
  /** Releases that know at least this version work with what the later migrations made. */
  readonly compatible_version: number;
}

export type SchemaCollection = Collection<SchemaDocument>;

export interface MigrationParts {
  readonly database: Db;
  readonly keys: KeyCollection;
}

/**
 * One step of the schema. It may be applied again, to a database that has some of it or all, and by several processes at once;
 * others serve requests meanwhile.
 */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  /** What it does, for `latchkey migrate status`. */
  readonly name: string;
  /** The first version whose releases can work with what it makes. */
  readonly compatibleVersion: number;
  readonly up: (parts: MigrationParts) => Promise<void>;
}

/** Documents of one write. */
const BATCH_DOCUMENTS = 1_000;

/** Never changed once released, but for what later indexes make needless. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "indexes of lists, and of what the sweeper looks for",
    compatibleVersion: 1,
    up: ({ keys }) => createIndexes(keys, [INDEX.byKind, INDEX.byActor, INDEX.pending, INDEX.sealed, INDEX.tombstones]),
  },
  {
    version: 2,
    name: "lists by status",
    compatibleVersion: 2,
    up: async ({ keys }) => {
      await setListed(keys);
      await createIndexes(keys, [INDEX.byStatus, INDEX.byActorAndStatus, INDEX.due, INDEX.since]);
    },
  },
  {
    version: 3,
    name: "the feed of changes",
    compatibleVersion: 2,
    up: ({ keys }) => createIndexes(keys, [INDEX.changes]),
  },
];

export const LATEST_VERSION = MIGRATIONS.length;

/**
 * What keys from before `listed` are listed under: what was written, so only a revocation counts. No new version of the keys:
 * to whoever read one it is the same, and a change that comes first sets the field itself.
 */
async function setListed(keys: KeyCollection): Promise<void> {
  const isWithout = { listed: { $exists: false }, deleted: null as unknown as true };
  const until = { $ifNull: ["$revocation.grace_end", "$expire_time"] };
  const isRevoked = {
    $and: [{ $gt: ["$revocation", null] }, { $not: [{ $gt: ["$revocation.grace_end", null] }] }],
  };
  const active = { $cond: [{ $gt: [until, null] }, { status: "active", until }, { status: "active" }] };
  const set = [{ $set: { listed: { $cond: [isRevoked, { status: "revoked" }, active] } } }];
  for (let after = ""; ; ) {
    const page = { sort: { _id: 1 }, limit: BATCH_DOCUMENTS, projection: { _id: 1 } } as const;
    const ids = (await keys.find({ _id: { $gt: after } }, page).toArray()).map(({ _id }) => _id);
    const last = ids.at(-1);
    if (last === undefined) return;
    await keys.updateMany({ ...isWithout, _id: { $in: ids } }, set);
    after = last;
  }
}
