/** What is remembered of MongoDB, with a server that changes, hangs and loses replies. */

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { type CacheOptions, openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { eventually } from "../e2e/eventually.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { primaryOf, proxiedUri } from "../proxied-mongo.js";
import { startFaultProxy } from "./mongo-fault-proxy.js";
import { startPausableProxy } from "./pausable-proxy.js";
import { sampleRecord } from "./sample-record.js";
import { TEST_CACHE } from "./test-cache.js";

const TIMEOUT_MS = 10_000;
const SETTLED_MS = 5_000;

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `MongoDB store and its cache${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    // The client wants one also where the tests are skipped.
    const uri = mongo?.uri ?? "mongodb://none";
    const client = new MongoClient(uri);
    let cached: KeyStore;
    let other: KeyStore;

    beforeAll(async () => {
      cached = await openMongoStore({ uri, timeoutMs: TIMEOUT_MS, cache: TEST_CACHE });
      other = await openMongoStore({ uri, timeoutMs: TIMEOUT_MS });
      await settle();
    });
    afterAll(async () => {
      await cached?.close();
      await other?.close();
      await client.close();
      await mongo?.dispose();
    });

    async function insertSample(fields: Partial<KeyRecord> = {}): Promise<KeyRecord> {
      const record = sampleRecord(fields);
      await other.insert(record);
      return record;
    }

    /** As nothing in the service does: no feed hears of it. */
    async function changeSecretly({ tenantId, keyId }: KeyRecord, name: string): Promise<void> {
      const keys = client.db().collection<{ _id: string }>("keys");
      await keys.updateOne({ _id: `${tenantId}/${keyId}` }, { $set: { name } });
    }

    /** Once after its start a feed drops what was read before it knew enough of the server's clock: here, at the latest then. */
    async function settle(): Promise<void> {
      const startMs = performance.now();
      const record = await insertSample();
      await cached.readForVerification(record);
      await changeSecretly(record, "second");
      await eventually("the feed to settle", async () => {
        const name = (await cached.readForVerification(record))?.name;
        return name === "second" || performance.now() - startMs > SETTLED_MS ? true : undefined;
      });
    }

    async function remember(store: KeyStore, record: KeyRecord): Promise<void> {
      const first = await store.readForVerification(record);
      expect(first).toMatchObject({ keyId: record.keyId });
      expect(await store.readForVerification(record)).toBe(first);
    }

    test("remembers a key, until it is to be fresh", async () => {
      const record = await insertSample();
      const nameOf = async (...freshness: Parameters<KeyStore["readForVerification"]>[1][]) => {
        return (await cached.readForVerification(record, ...freshness))?.name;
      };
      expect(await nameOf()).toBe(record.name);
      await changeSecretly(record, "second");
      expect(await nameOf()).toBe(record.name);
      expect(await nameOf("unstored")).toBe("second");
      expect(await nameOf()).toBe(record.name);
      expect(await nameOf("fresh")).toBe("second");
      await changeSecretly(record, "third");
      expect(await nameOf()).toBe("second");
      expect(await cached.readManyForVerification(record.tenantId, [record.keyId])).toMatchObject([{ name: "second" }]);
      expect(await cached.read(record)).toMatchObject({ name: "third" });
      // Without a cache each is the store's.
      expect((await other.readForVerification(record))?.name).toBe("third");
    });

    test("drops what was changed elsewhere, whatever changed", async () => {
      const records = await Promise.all(Array.from({ length: 4 }, () => insertSample()));
      const [revoked, deleted, again, kept] = records as [KeyRecord, KeyRecord, KeyRecord, KeyRecord];
      for (const record of records) await remember(cached, record);
      await other.compareAndSet(revoked, 1, { revocation: { reason: "superseded" } });
      await other.delete(deleted, 1);
      await other.delete(again, 1);
      await other.insert(again);
      await eventually("all three changes", async () => {
        const [one, two, three] = await Promise.all(
          [revoked, deleted, again].map((record) => cached.readForVerification(record)),
        );
        return one?.revocation !== undefined && two === undefined && three?.version === 3 ? true : undefined;
      });
      expect(await cached.readForVerification(kept)).toEqual(kept);
    });

    test("does not keep what a write of unknown outcome may have changed", async () => {
      const proxy = await startFaultProxy(uri);
      // Its feed looks so rarely that it finds nothing in time.
      const cache: CacheOptions = { ...TEST_CACHE, pollIntervalMs: 3_600_000 };
      const store = await openMongoStore({ uri: proxy.uri, timeoutMs: TIMEOUT_MS, cache });
      try {
        const record = await insertSample();
        await remember(store, record);
        proxy.meet("findAndModify", "reply lost", "lost on the way", "lost on the way");
        const change = { revocation: { reason: "superseded" } } as const;
        await expect(store.compareAndSet(record, 1, change)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        expect(proxy.left).toBe(0);
        expect((await store.readForVerification(record))?.revocation).toEqual({ reason: "superseded" });

        const gone = await insertSample();
        await remember(store, gone);
        proxy.meet("findAndModify", "reply lost", "lost on the way", "lost on the way");
        await expect(store.delete(gone, 1)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        expect(proxy.left).toBe(0);
        expect(await store.readForVerification(gone)).toBeUndefined();
      } finally {
        await store.close();
        await proxy.close();
      }
    });

    test("a server that hangs: answers until cache.max_staleness, then UNAVAILABLE, and recovers by itself", async () => {
      const proxy = await startPausableProxy(await primaryOf(uri));
      const feedErrors: unknown[] = [];
      const store = await openMongoStore({
        uri: proxiedUri(uri, proxy.address),
        timeoutMs: 500,
        cache: { ...TEST_CACHE, maxStalenessMs: 3_000 },
        onFeedError: (error) => feedErrors.push(error),
      });
      try {
        const record = await insertSample();
        await remember(store, record);
        proxy.pause();
        const pausedMs = performance.now();
        expect(await store.readForVerification(record)).toEqual(record);
        const error = await eventually("the refusal", () =>
          store.readForVerification(record).then(() => undefined, same),
        );
        expect(error).toMatchObject({ reason: "UNAVAILABLE" });
        // What was read or confirmed shortly before was used for the most of that time, and no longer.
        const servedMs = performance.now() - pausedMs;
        expect(servedMs).toBeGreaterThan(500);
        await expect(store.readForVerification(record)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        await eventually("the report", () => (feedErrors.length > 0 ? true : undefined));

        await other.compareAndSet(record, 1, { revocation: { reason: "superseded" } });
        proxy.resume();
        const read = await eventually("the answer", () => store.readForVerification(record).catch(() => undefined));
        expect(read.revocation).toEqual({ reason: "superseded" });
        await eventually("the cache to remember again", async () => {
          const first = await store.readForVerification(record).catch(() => undefined);
          return first !== undefined && (await store.readForVerification(record)) === first ? true : undefined;
        });
        expect(feedErrors.length).toBe(1);
      } finally {
        proxy.resume();
        await store.close();
        await proxy.close();
      }
    });

    test("is bounded: what the store says of an overlap that proves nothing", async () => {
      const cache = { ...TEST_CACHE, pollOverlapMs: 4_999 };
      await expect(openMongoStore({ uri, timeoutMs: TIMEOUT_MS, cache })).rejects.toThrow(
        new TypeError("an overlap of less than 5000 ms"),
      );
    });
  },
);

function same<T>(value: T): T {
  return value;
}
