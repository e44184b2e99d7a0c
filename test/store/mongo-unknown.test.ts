/** What the MongoDB store makes of writes whose outcome it is not told. */

import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Collection, type Document, Long, MongoClient } from "mongodb";
import type { KeyId, KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type Fate, type FaultProxy, refusal, startFaultProxy } from "./mongo-fault-proxy.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const TIMEOUT_MS = 10_000;
/** For good. */
const REFUSED = refusal(121, "DocumentValidationFailure");
/** More than one record of each kind that a fault could lose. */
const MANY = 20;
/** A cursor that the server does not have. */
const UNKNOWN_CURSOR = Long.fromNumber(4711);
const TOMBSTONE_FIELDS = ["_id", "changed_at", "deleted", "key_id", "tenant_id", "version", "write_id"];
const UNAVAILABLE = { reason: "UNAVAILABLE", message: "the key store cannot be reached" };

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `MongoDB store and lost replies${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let proxy: FaultProxy;
    let store: KeyStore;
    /** Around the proxy. */
    let server: MongoClient;
    let keys: Collection<Document & { _id: string }>;

    beforeAll(async () => {
      const uri = mongo?.uri ?? "";
      proxy = await startFaultProxy(uri);
      store = await openMongoStore({ uri: proxy.uri, timeoutMs: TIMEOUT_MS });
      server = new MongoClient(uri);
      keys = server.db().collection("keys");
    });

    afterEach(() => {
      // What was to be lost was: no test passes without its faults.
      expect(proxy.left).toBe(0);
    });

    afterAll(async () => {
      await store?.close();
      await proxy?.close();
      await server?.close();
      await mongo?.dispose();
    });

    const inserted = (record: KeyRecord, version = 1) => ({ outcome: "inserted", record: { ...record, version } });
    const exists = { outcome: "exists" };

    describe("insertMany", () => {
      test("recognises what it wrote when the reply is lost", async () => {
        const records = [sampleRecord(), fullRecord(), sampleRecord()];
        proxy.meet("insert", "reply lost");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
        for (const record of records) expect(await store.read(record)).toEqual({ ...record, version: 1 });
      });

      test("tries again what never arrived", async () => {
        const records = [sampleRecord(), fullRecord()];
        proxy.meet("insert", "lost on the way");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
        for (const record of records) expect(await store.read(record)).toEqual({ ...record, version: 1 });
      });

      test.each(["reply lost", "lost on the way"] as const)("takes no key of others for its own: %s", async (fate) => {
        const [fresh, there] = [sampleRecord(), sampleRecord()];
        await store.insert(there);
        await store.compareAndSet(there, 1, { name: "changed" });
        const again = { ...there, deriveSeed: new Uint8Array(randomBytes(32)) };
        proxy.meet("insert", fate);
        expect(await store.insertMany([again, fresh, fresh])).toEqual([exists, inserted(fresh), exists]);
        expect(await store.read(there)).toEqual({ ...there, name: "changed", version: 2 });
      });

      test("gives up with UNAVAILABLE when the third try is lost too", async () => {
        const records = [sampleRecord(), sampleRecord()];
        proxy.meet("insert", "lost on the way", "lost on the way", "lost on the way");
        await expect(store.insertMany(records)).rejects.toMatchObject(UNAVAILABLE);
        for (const record of records) expect(await store.read(record)).toBeUndefined();
      });

      test("recognises what the second try wrote", async () => {
        const records = [sampleRecord(), sampleRecord()];
        proxy.meet("insert", "lost on the way", "reply lost");
        expect(await store.insertMany(records)).toEqual(records.map((record) => inserted(record)));
      });

      test.each(["reply lost", "lost on the way"] as const)("recognises a replaced tombstone: %s", async (fate) => {
        const buried = [await bury(fullRecord()), await bury(sampleRecord())];
        const fresh = sampleRecord();
        proxy.meet("findAndModify", fate);
        const records = [...buried, fresh];
        const expected = [...buried.map((record) => inserted(record, 3)), inserted(fresh)];
        expect(await store.insertMany(records)).toEqual(expected);
        for (const record of buried) expect(await store.read(record)).toEqual({ ...record, version: 3 });
        expect(await keys.countDocuments({ key_id: buried[0]?.keyId, write_id: { $exists: true } })).toBe(0);
      });

      test("does not undo a delete that may be one of its own key", async () => {
        const fresh = sampleRecord();
        const buried = await bury(sampleRecord());
        proxy.meet("insert", "reply lost");
        await expect(store.insertMany([fresh, buried])).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.read(buried)).toBeUndefined();
        // The caller, who may ask for that, gets it.
        expect(await store.insertMany([fresh, buried])).toEqual([exists, inserted(buried, 3)]);
      });

      test("tries again what was refused for the moment, beside a key that is there", async () => {
        const [there, fresh] = [await inserts(), sampleRecord()];
        const writeErrors = [
          { index: 0, code: 11000, errmsg: "duplicate key" },
          { index: 1, code: 112, errmsg: "write conflict" },
        ];
        proxy.meet("insert", { refusal: { ok: 1, n: 0, writeErrors } });
        const another = { ...there, deriveSeed: new Uint8Array(randomBytes(32)) };
        expect(await store.insertMany([another, fresh])).toEqual([exists, inserted(fresh)]);
      });

      test("does not try again what the server refused for good", async () => {
        const record = sampleRecord();
        const [asWhole, ofOne] = [
          REFUSED,
          { refusal: { ok: 1, n: 0, writeErrors: [{ index: 0, ...REFUSED.refusal }] } },
        ];
        for (const fate of [asWhole, ofOne]) {
          proxy.meet("insert", fate);
          await expect(store.insertMany([record])).rejects.toMatchObject({ reason: "UNAVAILABLE" });
          expect(await store.read(record)).toBeUndefined();
        }
      });
    });

    describe("insert", () => {
      test("recognises its own key, as it is by now", async () => {
        const record = fullRecord();
        let release = () => {};
        proxy.meet("insert", "reply lost");
        proxy.meet("find", { heldUntil: new Promise((resolve) => (release = resolve)) });
        const underWay = store.insert(record);
        await proxy.allMet();
        const changed = await store.compareAndSet(record, 1, { name: "changed" });
        release();
        expect(await underWay).toEqual({ outcome: "inserted", record: changed });
      });
    });

    describe("compareAndSet", () => {
      const name = "changed";

      test.each(["reply lost", "reply cut off", "lost on the way"] as const)("is done once: %s", async (fate) => {
        const record = await inserts();
        proxy.meet("findAndModify", fate);
        const changed = { ...record, name, version: 2 };
        expect(await store.compareAndSet(record, 1, { name })).toEqual(changed);
        expect(await store.read(record)).toEqual(changed);
      });

      test("that made no change is told so when the reply is lost", async () => {
        const record = await inserts();
        await store.compareAndSet(record, 1, { name: "of another" });
        proxy.meet("findAndModify", "reply lost");
        expect(await store.compareAndSet(record, 1, { name })).toBeUndefined();
        expect(await store.read(record)).toEqual({ ...record, name: "of another", version: 2 });
      });

      test("of two callers whose replies are all lost changes the record for one", async () => {
        const record = await inserts();
        proxy.meet("findAndModify", "reply lost", "reply lost");
        const names = ["one", "other"];
        const results = await Promise.all(names.map((name) => store.compareAndSet(record, 1, { name })));
        const [won, ...more] = results.filter((result) => result !== undefined);
        expect(more).toEqual([]);
        expect(await store.read(record)).toEqual(won);
        expect(won?.version).toBe(2);
      });

      test("lost to a delete meanwhile is told so", async () => {
        const record = await inserts();
        const deleted = between("lost on the way", async () => {
          await store.delete(record, 1);
        });
        expect(await store.compareAndSet(record, 1, { name })).toBeUndefined();
        await deleted;
      });

      test("covered by a later change cannot be told: UNAVAILABLE", async () => {
        const record = await inserts();
        const change = between("reply lost", async () => {
          await store.compareAndSet(record, 2, { scopes: ["later"] });
        });
        await expect(store.compareAndSet(record, 1, { name })).rejects.toMatchObject({
          reason: "UNAVAILABLE",
          message: "the key store cannot tell whether the change was made",
        });
        await change;
        expect(await store.read(record)).toEqual({ ...record, name, scopes: ["later"], version: 3 });
      });

      test("answered by a server that had been deposed is tried again", async () => {
        const record = await inserts();
        proxy.meet("findAndModify", "lost on the way", { refusal: { ok: 1, value: null } });
        expect(await store.compareAndSet(record, 1, { name })).toEqual({ ...record, name, version: 2 });
      });

      test("that a majority does not have is not acknowledged", async () => {
        const record = await inserts();
        const writeConcernError = { code: 100, codeName: "UnsatisfiableWriteConcern", errmsg: "too few members" };
        const fate = { reply: (reply: Document) => ({ ...reply, writeConcernError }) };
        proxy.meet("findAndModify", fate, fate, fate);
        await expect(store.compareAndSet(record, 1, { name })).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.read(record)).toEqual({ ...record, name, version: 2 });
      });

      test("gives up with UNAVAILABLE when the third try is lost too", async () => {
        const record = await inserts();
        proxy.meet("findAndModify", "lost on the way", "lost on the way", "lost on the way");
        await expect(store.compareAndSet(record, 1, { name })).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.read(record)).toEqual(record);
      });

      test("is not tried again when the server refused it for good", async () => {
        const record = await inserts();
        proxy.meet("findAndModify", REFUSED);
        await expect(store.compareAndSet(record, 1, { name })).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        expect(await store.read(record)).toEqual(record);
      });

      test("leaves a mark that is another each time, and in no record", async () => {
        const record = await inserts();
        const marks: string[] = [];
        for (const version of [1, 2]) {
          await store.compareAndSet(record, version, { name });
          const document = await keys.findOne({ key_id: record.keyId });
          marks.push(document?.write_id.buffer.toString("hex"));
        }
        expect(marks).toEqual([expect.stringMatching(/^[0-9a-f]{24}$/), expect.stringMatching(/^[0-9a-f]{24}$/)]);
        expect(marks[0]).not.toBe(marks[1]);
        expect(await store.read(record)).toEqual({ ...record, name, version: 3 });
      });
    });

    describe("delete", () => {
      test.each(["reply lost", "reply cut off", "lost on the way"] as const)("is done once: %s", async (fate) => {
        const record = await inserts();
        proxy.meet("findAndModify", fate);
        expect(await store.delete(record, 1)).toBe(true);
        const tombstone = await keys.findOne({ key_id: record.keyId });
        expect(tombstone).toMatchObject({ deleted: true, version: 2 });
        expect(Object.keys(tombstone ?? {}).sort()).toEqual(TOMBSTONE_FIELDS);
      });

      test("that another did first is told so when the reply is lost", async () => {
        const record = await inserts();
        await store.delete(record, 1);
        proxy.meet("findAndModify", "reply lost");
        expect(await store.delete(record, 1)).toBe(false);
      });

      test("whose key was imported again meanwhile cannot be told: UNAVAILABLE", async () => {
        const record = await inserts();
        const imported = between("reply lost", async () => {
          await store.insert(record);
        });
        await expect(store.delete(record, 1)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        await imported;
        expect(await store.read(record)).toEqual({ ...record, version: 3 });
      });
    });

    describe("restoreMany", () => {
      const sample = (count: number) =>
        Array.from({ length: count }, (_, index) => sampleRecord({ version: index + 1 }));
      const restoredAll = (records: readonly KeyRecord[]) => records.map(() => "restored");

      async function expectThere(records: readonly KeyRecord[]): Promise<void> {
        for (const record of records) expect(await store.read(record)).toEqual(record);
      }

      test.each(["reply lost", "reply cut off", "lost on the way"] as const)("has every record: %s", async (fate) => {
        const records = [fullRecord({ version: 5 }), ...sample(MANY)];
        proxy.meet("update", fate);
        expect(await store.restoreMany(records)).toEqual(restoredAll(records));
        await expectThere(records);
      });

      test("goes on where an earlier try was cut short", async () => {
        const records = sample(MANY);
        await store.restoreMany(records.slice(MANY / 2));
        proxy.meet("update", "lost on the way");
        expect(await store.restoreMany(records)).toEqual(restoredAll(records));
        await expectThere(records);
      });

      test("tries again what was refused for the moment, beside what has a newer version", async () => {
        const newer = await inserts();
        const changed = await store.compareAndSet(newer, 1, { name: "changed" });
        const fresh = sampleRecord({ version: 3 });
        const writeErrors = [
          { index: 0, code: 11000, errmsg: "duplicate key" },
          { index: 1, code: 112, errmsg: "write conflict" },
        ];
        proxy.meet("update", { refusal: { ok: 1, n: 0, nModified: 0, writeErrors } });
        expect(await store.restoreMany([newer, fresh])).toEqual(["kept", "restored"]);
        expect(await store.read(newer)).toEqual(changed);
        await expectThere([fresh]);
      });

      test("does not try again what the server refused for good, beside what it took", async () => {
        const [taken, refused] = [sampleRecord(), sampleRecord()];
        await store.restoreMany([taken]);
        const writeErrors = [{ index: 1, ...REFUSED.refusal }];
        for (const fate of [REFUSED, { refusal: { ok: 1, n: 1, nModified: 0, writeErrors } }]) {
          proxy.meet("update", fate);
          await expect(store.restoreMany([taken, refused])).rejects.toMatchObject({ reason: "UNAVAILABLE" });
          expect(await store.read(refused)).toBeUndefined();
        }
      });

      test("believes no server that says it wrote, and did not", async () => {
        const record = sampleRecord();
        proxy.meet("update", { refusal: { ok: 1, n: 1, nModified: 1 } });
        await expect(store.restoreMany([record])).rejects.toMatchObject({
          reason: "UNAVAILABLE",
          message: "a key that was restored could not be read back",
        });
        expect(await store.restoreMany([record])).toEqual(["restored"]);
        await expectThere([record]);
      });

      test("that is UNAVAILABLE can be done again, to the same end", async () => {
        const records = sample(MANY);
        proxy.meet("update", "lost on the way", "reply lost", "lost on the way");
        // Each try reads back what it wrote, and the driver asks a second time.
        proxy.meet("find", ...Array.from({ length: 6 }, () => "lost on the way" as const));
        await expect(store.restoreMany(records)).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.restoreMany(records)).toEqual(restoredAll(records));
        await expectThere(records);
      });

      test("that arrives late changes nothing that was changed since", async () => {
        const record = sampleRecord({ version: 3 });
        let release = () => {};
        proxy.meet("update", { heldUntil: new Promise((resolve) => (release = resolve)) });
        const slow = store.restoreMany([record]);
        await proxy.allMet();
        await store.restoreMany([record]);
        const changed = await store.compareAndSet(record, 3, { name: "changed" });
        release();
        expect(await slow).toEqual(["kept"]);
        expect(await store.read(record)).toEqual(changed);
      });
    });

    describe("scan", () => {
      const SLICE = 3;
      const walked = async () => {
        const records: KeyRecord[] = [];
        let slices = 0;
        for (let after: KeyId | undefined, isOver = false; !isOver; slices += 1) {
          const slice = await store.scan(after, SLICE);
          records.push(...slice.records);
          after = slice.end;
          isOver = after === undefined;
        }
        return { ids: records.map(({ keyId }) => keyId).sort(), slices };
      };
      let ids: string[] = [];

      beforeAll(async () => {
        await keys.deleteMany({});
        const records = Array.from({ length: 2 * SLICE + 1 }, () => sampleRecord());
        await store.insertMany(records);
        ids = records.map(({ keyId }) => keyId).sort();
      });

      test.each(["reply lost", "reply cut off", "lost on the way"] as const)("is complete: %s", async (fate) => {
        proxy.meet("find", { reply: (reply) => reply }, fate);
        expect(await walked()).toEqual({ ids, slices: 3 });
      });

      test("fails, and is not short, when no try is answered", async () => {
        proxy.meet("find", { reply: (reply) => reply }, "reply lost", "reply lost");
        await expect(walked()).rejects.toMatchObject(UNAVAILABLE);
      });

      /** What a server does when a slice is larger than a reply may be. */
      const cutShort: Fate = {
        reply: ({ cursor, ...reply }) => ({
          ...reply,
          cursor: { ...cursor, id: UNKNOWN_CURSOR, firstBatch: cursor.firstBatch.slice(0, 1) },
        }),
      };

      test.each([
        ["reply lost", "reply lost"],
        ["reply cut off", "reply cut off"],
        ["lost on the way", "lost on the way"],
        ["no primary any more", refusal(10107, "NotWritablePrimary")],
        ["cursor gone", refusal(43, "CursorNotFound")],
      ] as const)("fails, and is not short, when the rest of a slice does not come: %s", async (_about, fate) => {
        proxy.meet("find", cutShort);
        proxy.meet("getMore", fate);
        await expect(walked()).rejects.toMatchObject({ reason: "UNAVAILABLE" });
        expect(await walked()).toEqual({ ids, slices: 3 });
      });
    });

    describe("acquireLease", () => {
      test.each([
        ["update", "reply lost"],
        ["update", "lost on the way"],
        ["hello", "reply lost"],
      ] as const)("takes it all the same: %s %s", async (command, fate) => {
        const name = randomUUID();
        proxy.meet(command, fate);
        expect(await store.acquireLease(name, "mine", TIMEOUT_MS)).toBe(true);
        expect(await store.acquireLease(name, "another", TIMEOUT_MS)).toBe(false);
      });

      test("that another has stays theirs", async () => {
        const name = randomUUID();
        await store.acquireLease(name, "another", TIMEOUT_MS);
        proxy.meet("update", "reply lost");
        expect(await store.acquireLease(name, "mine", TIMEOUT_MS)).toBe(false);
      });
    });

    describe("claim", () => {
      const [mine, other] = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];

      test("reads what it wrote when the reply is lost", async () => {
        const name = randomUUID();
        proxy.meet("insert", "reply lost");
        expect(await store.claim(name, mine)).toEqual(mine);
        expect(await store.claim(name, other)).toEqual(mine);
      });

      test.each(["lost on the way", "reply cut off"] as const)("is made by the second try: %s", async (fate) => {
        const name = randomUUID();
        proxy.meet("insert", fate);
        expect(await store.claim(name, mine)).toEqual(mine);
        expect(await store.claim(name, other)).toEqual(mine);
      });

      test("whose tries are all lost is UNAVAILABLE, and open", async () => {
        const name = randomUUID();
        proxy.meet("insert", "lost on the way", "lost on the way", "lost on the way");
        await expect(store.claim(name, mine)).rejects.toMatchObject(UNAVAILABLE);
        expect(await store.claim(name, other)).toEqual(other);
        expect(await store.claim(name, mine)).toEqual(other);
      });
    });

    async function inserts(): Promise<KeyRecord> {
      const record = fullRecord({ version: 1 });
      await store.insert(record);
      return record;
    }

    async function bury(record: KeyRecord): Promise<KeyRecord> {
      await store.insert(record);
      await store.delete(record, 1);
      return record;
    }

    /** The next update meets a fate, and before it is tried again this happens. */
    async function between(fate: Fate, happen: () => Promise<void>): Promise<void> {
      let release = () => {};
      proxy.meet("findAndModify", fate, { heldUntil: new Promise((resolve) => (release = resolve)) });
      await proxy.allMet();
      await happen();
      release();
    }
  },
);
