import type { Db, Filter, MongoClient, UpdateFilter } from "mongodb";
import { CachedReads } from "../cache/cached-reads.js";
import type { ChangeFeed, ChangeListener } from "../cache/change-feed.js";
import type { ReadRecord, RecordCacheOptions } from "../cache/record-cache.js";
import { CallGate } from "../call-gate.js";
import type {
  Freshness,
  InsertResult,
  KeyChange,
  KeyId,
  KeyRecord,
  KeyStore,
  KeyUse,
  ListQuery,
  ListSlice,
  RestoreResult,
  ScanSlice,
} from "../key-store.js";
import { withinTime } from "../within-time.js";
import { acquireLease, type LeaseCollection } from "./acquire-lease.js";
import { GatheredReads } from "./gathered-reads.js";
import { INDEX } from "./indexes.js";
import { insertKeys } from "./insert-keys.js";
import {
  documentId,
  type KeyCollection,
  type KeyDocument,
  recordFromDocument,
  updateFromChange,
} from "./key-document.js";
import { listKeys } from "./list-keys.js";
import { restoreKeys } from "./restore-keys.js";
import { scanKeys } from "./scan-keys.js";
import { type ClaimCollection, takeClaim } from "./take-claim.js";
import { buryUpdate } from "./tombstone.js";
import { lateAnswer, unavailable } from "./unavailable.js";
import { updateOnVersion } from "./update-on-version.js";

/** As many as a server can be relied on to write in time. */
const USES_AT_ONCE = 200;

export interface MongoStoreParts {
  /** Closed with the store. */
  readonly clients: readonly MongoClient[];
  readonly database: Db;
  readonly keys: KeyCollection;
  /** The same collection, on connections for verifications alone. */
  readonly verifiedKeys: KeyCollection;
  readonly leases: LeaseCollection;
  readonly claims: ClaimCollection;
  readonly timeoutMs: number;
  /** Absent: verifications are answered from the store each time. */
  readonly cache?: MongoStoreCache | undefined;
}

export interface MongoStoreCache {
  readonly options: RecordCacheOptions;
  readonly startFeed: (listener: ChangeListener) => ChangeFeed;
}

/**
 * Every change is one atomic write of one document, on its `_id` and version. Every read asks the primary for what a majority
 * has (see client-options.ts); what verifications read may be remembered (see cached-reads.ts).
 */
export class MongoStore implements KeyStore {
  readonly #parts: MongoStoreParts;
  readonly #gate = new CallGate();
  readonly #gathered: GatheredReads<KeyDocument>;
  readonly #cached: CachedReads | undefined;
  readonly #feed: ChangeFeed | undefined;

  constructor(parts: MongoStoreParts) {
    this.#parts = parts;
    this.#gathered = new GatheredReads((names) => this.#fetchMany(names), parts.timeoutMs);
    if (parts.cache === undefined) return;
    this.#cached = new CachedReads(parts.cache.options, (name) => this.#fetch(name));
    this.#feed = parts.cache.startFeed(this.#cached);
  }

  async insert(record: KeyRecord): Promise<InsertResult> {
    return this.#write([record], async ({ keys, timeoutMs }) => {
      const [result] = await insertKeys(keys, [record], timeoutMs);
      return result as InsertResult; // one for each record
    });
  }

  async insertMany(records: readonly KeyRecord[]): Promise<InsertResult[]> {
    return this.#write(records, ({ keys, timeoutMs }) => insertKeys(keys, records, timeoutMs));
  }

  async read(id: KeyId): Promise<KeyRecord | undefined> {
    const filter = liveDocument(documentId(id));
    return this.#call(async ({ keys, timeoutMs }) => {
      const document = await keys.findOne(filter, { maxTimeMS: timeoutMs });
      return document === null ? undefined : recordFromDocument(document);
    });
  }

  async readMany(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]> {
    const ids = keyIds.map((keyId) => documentId({ tenantId, keyId }));
    return this.#call(async ({ keys, timeoutMs }) => {
      if (ids.length === 0) return [];
      const found = await findLive(keys, [...new Set(ids)], timeoutMs);
      const records = new Map([...found].map(([id, document]) => [id, recordFromDocument(document)]));
      return ids.map((id) => records.get(id));
    });
  }

  async readForVerification(id: KeyId, freshness: Freshness = "cached"): Promise<KeyRecord | undefined> {
    const name = documentId(id);
    return this.#known(name, freshness) ?? this.#call(() => this.#readGathered(name, freshness));
  }

  async readManyForVerification(
    tenantId: string,
    keyIds: readonly string[],
    freshness: Freshness = "cached",
  ): Promise<(KeyRecord | undefined)[]> {
    const names = keyIds.map((keyId) => documentId({ tenantId, keyId }));
    const known = names.map((name) => this.#known(name, freshness));
    if (known.every((record) => record !== undefined) && names.length > 0) return known;
    return this.#call(() =>
      Promise.all(names.map((name, index) => known[index] ?? this.#readGathered(name, freshness))),
    );
  }

  async compareAndSet(id: KeyId, version: number, change: KeyChange): Promise<KeyRecord | undefined> {
    const key = { _id: documentId(id), version: checkVersion(version) };
    const { set, unset } = updateFromChange(change);
    const update = {
      $inc: { version: 1 },
      $currentDate: { changed_at: true },
      $set: set,
      ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }),
    } as UpdateFilter<KeyDocument>;
    return this.#write([id], async ({ keys, timeoutMs }) => {
      const changed = await updateOnVersion(keys, key, update, timeoutMs);
      return changed && recordFromDocument(changed);
    });
  }

  async recordUses(uses: readonly KeyUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += USES_AT_ONCE) {
      await this.#recordUses(uses.slice(start, start + USES_AT_ONCE));
    }
  }

  async #recordUses(uses: readonly KeyUse[]): Promise<void> {
    const updates = uses.map(({ time, ...id }) => ({
      updateOne: {
        filter: { ...liveDocument(documentId(id)), create_time: { $lte: time } },
        update: { $max: { last_used_time: time } },
      },
    }));
    await this.#call(({ keys, timeoutMs }) => keys.bulkWrite(updates, { ordered: false, maxTimeMS: timeoutMs }));
  }

  async delete(id: KeyId, version: number): Promise<boolean> {
    const key = { _id: documentId(id), version: checkVersion(version) };
    return this.#write([id], async ({ keys, timeoutMs }) => {
      const buried = await updateOnVersion(keys, key, buryUpdate(), timeoutMs);
      return buried !== undefined;
    });
  }

  async list(query: ListQuery): Promise<ListSlice> {
    return this.#call(({ keys, timeoutMs }) => listKeys(keys, query, timeoutMs));
  }

  async listDue(before: Date, limit: number): Promise<KeyRecord[]> {
    const filter = { "listed.until": { $exists: true, $lt: before } };
    return this.#find(filter, { hint: INDEX.due, sort: { "listed.until": 1 }, limit });
  }

  async listAhead(after: Date, limit: number): Promise<KeyRecord[]> {
    const filter = { "listed.since": { $exists: true, $gt: after } };
    return this.#find(filter, { hint: INDEX.since, sort: { "listed.since": -1 }, limit });
  }

  async listPending(createdBefore: Date, limit: number): Promise<KeyRecord[]> {
    const filter = { pending: { $exists: true }, create_time: { $lt: createdBefore } };
    return this.#find(filter, { hint: INDEX.pending, sort: { create_time: 1 }, limit });
  }

  async listSealed(expiredBefore: Date, limit: number): Promise<KeyRecord[]> {
    const filter = { sealed_secret: { $exists: true }, "sealed_secret.expire_time": { $lt: expiredBefore } };
    return this.#find(filter, { hint: INDEX.sealed, sort: { "sealed_secret.expire_time": 1 }, limit });
  }

  async scan(after: KeyId | undefined, limit: number): Promise<ScanSlice> {
    return this.#call(({ keys, timeoutMs }) => scanKeys(keys, after, limit, timeoutMs));
  }

  async restoreMany(records: readonly KeyRecord[]): Promise<RestoreResult[]> {
    return this.#write(records, ({ keys, timeoutMs }) => restoreKeys(keys, records, timeoutMs));
  }

  async removeTombstones(deletedBefore: Date, limit: number): Promise<number> {
    const old = { deleted: true, changed_at: { $lt: deletedBefore } } as const;
    return this.#call(async ({ keys, timeoutMs }) => {
      if (limit < 1) return 0; // the server takes 0 for "all"
      const options = { hint: INDEX.tombstones, limit, batchSize: limit, projection: { _id: 1 }, maxTimeMS: timeoutMs };
      const found = await keys.find(old, options).toArray();
      if (found.length === 0) return 0;
      // Each is asked again, by the write itself: one may be a key again by now.
      const filter = { ...old, _id: { $in: found.map((tombstone) => tombstone._id) } };
      const result = await keys.deleteMany(filter, { maxTimeMS: timeoutMs });
      return result.deletedCount;
    });
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#call(({ database, leases, timeoutMs }) =>
      acquireLease(database, leases, { name, holder, ttlMs }, timeoutMs),
    );
  }

  async claim(name: string, value: Uint8Array): Promise<Uint8Array> {
    return this.#call(({ claims, timeoutMs }) => takeClaim(claims, name, value, timeoutMs));
  }

  async ping(): Promise<void> {
    await this.#call(({ keys, timeoutMs }) => keys.findOne({ _id: "" }, { maxTimeMS: timeoutMs }));
  }

  async close(): Promise<void> {
    await this.#gate.close();
    await this.#feed?.stop();
    await Promise.all(this.#parts.clients.map((client) => client.close()));
  }

  /** What is remembered and may be answered. Throws UNAVAILABLE after close. */
  #known(name: string, freshness: Freshness): KeyRecord | undefined {
    this.#gate.check();
    return freshness === "cached" ? this.#cached?.get(name) : undefined;
  }

  async #readGathered(name: string, freshness: Freshness): Promise<KeyRecord | undefined> {
    return this.#cached === undefined ? (await this.#fetch(name))?.record : this.#cached.read(name, freshness);
  }

  async #fetch(name: string): Promise<ReadRecord | undefined> {
    const document = await this.#gathered.read(name);
    return document && { record: recordFromDocument(document), changedAtMs: document.changed_at?.getTime() };
  }

  async #fetchMany(names: readonly string[]): Promise<ReadonlyMap<string, KeyDocument>> {
    const { verifiedKeys, timeoutMs } = this.#parts;
    return withinTime(findLive(verifiedKeys, names, timeoutMs), timeoutMs, lateAnswer);
  }

  /**
   * A call that may change these records. Whatever comes of it, known or not, they are not what they were: what is remembered
   * of them goes before the caller learns of it.
   */
  async #write<T>(ids: readonly KeyId[], call: (parts: MongoStoreParts) => Promise<T>): Promise<T> {
    const names = ids.map(documentId);
    try {
      return await this.#call(call);
    } finally {
      for (const name of names) this.#cached?.evict(name);
    }
  }

  async #find(
    filter: Filter<KeyDocument>,
    options: { hint: string; sort: Record<string, 1 | -1>; limit: number },
  ): Promise<KeyRecord[]> {
    return this.#call(async ({ keys, timeoutMs }) => {
      if (options.limit < 1) return []; // the server takes 0 for "all"
      // One batch: a page is one round trip.
      const all = { ...options, batchSize: options.limit, maxTimeMS: timeoutMs };
      const documents = await keys.find(filter, all).toArray();
      return documents.map(recordFromDocument);
    });
  }

  /** One call as a whole: refused after close, bounded in time, with the store's own errors. */
  async #call<T>(call: (parts: MongoStoreParts) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#parts;
    return this.#gate.pass(async () => {
      try {
        return await withinTime(call(this.#parts), timeoutMs, lateAnswer);
      } catch (error) {
        throw unavailable(error);
      }
    });
  }
}

/** The keys among these documents, by their `_id`, in one round trip. At least one name. */
async function findLive(
  keys: KeyCollection,
  names: readonly string[],
  maxTimeMs: number,
): Promise<ReadonlyMap<string, KeyDocument>> {
  const options = { batchSize: names.length, maxTimeMS: maxTimeMs };
  const [name = "", ...others] = names;
  const filter = others.length === 0 ? liveDocument(name) : liveDocument({ $in: names });
  const found = await keys.find(filter, options).toArray();
  return new Map(found.map((document) => [document._id, document]));
}

/** `deleted: null` matches documents without the field: keys, and no tombstones. */
function liveDocument<I>(_id: I) {
  return { _id, deleted: null as unknown as true };
}

function checkVersion(version: number): number {
  if (!Number.isSafeInteger(version)) throw new TypeError("a version that is no whole number");
  return version;
}
