/** What the MongoDB store makes of writes whose outcome it is not told. */

import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type LossyProxy, startLossyProxy } from "./lossy-proxy.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const TIMEOUT_MS = 10_000;
const UNAVAILABLE = { reason: "UNAVAILABLE", message: "the key store cannot be reached" };

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `MongoDB store and lost replies${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let proxy: LossyProxy;
    let store: KeyStore;

    beforeAll(async () => {
      const uri = mongo?.uri ?? "";
      proxy = await startLossyProxy(await primaryOf(uri));
      const proxied = uri.replace(
        /^(mongodb:\/\/(?:[^@/]*@)?)[^/]+/,
        (_uri, start) => `${start}127.0.0.1:${proxy.port}`,
      );
      // No other server than the proxy, and no retries but the store's own.
      const options = "directConnection=true&retryWrites=false";
      store = await openMongoStore({
        uri: `${proxied}${proxied.includes("?") ? "&" : "?"}${options}`,
        timeoutMs: TIMEOUT_MS,
      });
    });

    afterEach(() => {
      // What was to be lost was: no test passes without its faults.
      expect(proxy.left).toBe(0);
    });

    afterAll(async () => {
      await store?.close();
      await proxy?.close();
      await mongo?.dispose();
    });

    const inserted = (record: KeyRecord, version = 1) => ({ outcome: "inserted", record: { ...record, version } });
    const exists = { outcome: "exists" };

    describe("insertMany", () => {
      test("recognises what it wrote when the reply is lost", async () => {
        const records = [sampleRecord(), fullRecord(), sampleRecord()];
        proxy.lose("insert", "reply lost");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
        for (const record of records) expect(await store.read(record)).toEqual({ ...record, version: 1 });
      });

      test("tries again what never arrived", async () => {
        const records = [sampleRecord(), fullRecord()];
        proxy.lose("insert", "lost on the way");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
        for (const record of records) expect(await store.read(record)).toEqual({ ...record, version: 1 });
      });

      test.each(["reply lost", "lost on the way"] as const)("takes no key of others for its own: %s", async (fate) => {
        const [fresh, there] = [sampleRecord(), sampleRecord()];
        await store.insert(there);
        await store.compareAndSet(there, 1, { name: "changed" });
        const again = { ...there, deriveSeed: new Uint8Array(randomBytes(32)) };
        proxy.lose("insert", fate);
        expect(await store.insertMany([again, fresh, fresh])).toEqual([exists, inserted(fresh), exists]);
        expect(await store.read(there)).toEqual({ ...there, name: "changed", version: 2 });
      });

      test("gives up with UNAVAILABLE when the second try is lost too", async () => {
        const records = [sampleRecord(), sampleRecord()];
        proxy.lose("insert", "lost on the way", "lost on the way");
        await expect(store.insertMany(records)).rejects.toMatchObject(UNAVAILABLE);
        for (const record of records) expect(await store.read(record)).toBeUndefined();
      });

      test("recognises what the second try wrote", async () => {
        const records = [sampleRecord(), sampleRecord()];
        proxy.lose("insert", "lost on the way", "reply lost");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
      });

      test.each(["reply lost", "lost on the way"] as const)("recognises a replaced tombstone: %s", async (fate) => {
        const buried = [await bury(fullRecord()), await bury(sampleRecord())];
        const fresh = sampleRecord();
        proxy.lose("findAndModify", fate);
        const records = [...buried, fresh];
        const expected = [...buried.map((record) => inserted(record, 3)), inserted(fresh)];
        expect(await store.insertMany(records)).toEqual(expected);
        for (const record of buried) expect(await store.read(record)).toEqual({ ...record, version: 3 });
      });

      test("does not undo a delete that may be one of its own key", async () => {
        const fresh = sampleRecord();
        const buried = await bury(sampleRecord());
        proxy.lose("insert", "reply lost");
        await expect(store.insertMany([fresh, buried])).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.read(buried)).toBeUndefined();
        // The caller, who may ask for that, gets it.
        expect(await store.insertMany([fresh, buried])).toEqual([exists, inserted(buried, 3)]);
      });

      async function bury(record: KeyRecord): Promise<KeyRecord> {
        await store.insert(record);
        await store.delete(record, 1);
        return record;
      }
    });

    describe("claim", () => {
      const [mine, other] = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];

      test("reads what it wrote when the reply is lost", async () => {
        const name = randomUUID();
        proxy.lose("insert", "reply lost");
        expect(await store.claim(name, mine)).toEqual(mine);
        expect(await store.claim(name, other)).toEqual(mine);
      });

      test("that may yet arrive is UNAVAILABLE, and open until then", async () => {
        const name = randomUUID();
        proxy.lose("insert", "lost on the way");
        await expect(store.claim(name, mine)).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.claim(name, other)).toEqual(other);
        expect(await store.claim(name, mine)).toEqual(other);
      });
    });
  },
);

/** Where writes go: of a replica set the primary, else the one server that the URI names. */
async function primaryOf(uri: string): Promise<{ host: string; port: number }> {
  const client = new MongoClient(uri);
  try {
    const { primary } = await client.db().command({ hello: 1 });
    const [address] = client.options.hosts;
    const name = typeof primary === "string" ? primary : `${address}`;
    const [host = "", port = "27017"] = name.split(":");
    return { host, port: Number(port) };
  } finally {
    await client.close();
  }
}
