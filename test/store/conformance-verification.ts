import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Freshness, KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { eventually } from "../e2e/eventually.js";
import type { StoreFixture } from "./conformance.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const FRESHNESSES: readonly Freshness[] = ["cached", "fresh", "unstored"];

export function describeVerification(store: () => KeyStore, fixture: () => StoreFixture): void {
  describe("reads for verification", () => {
    let other: KeyStore;
    beforeAll(async () => {
      other = await fixture().open();
    });
    afterAll(() => other?.close());

    test("answer what is stored, to the last field", async () => {
      const record = fullRecord({ version: 1 });
      await store().insert(record);
      for (const freshness of [undefined, ...FRESHNESSES, ...FRESHNESSES]) {
        const read = await store().readForVerification(record, freshness);
        expect(read).toEqual(record);
        expect(Object.keys(read ?? {}).sort()).toEqual(Object.keys(record).sort());
      }
    });

    test("of several answer in the order asked, with undefined for what is not there", async () => {
      const tenantId = randomUUID();
      const records = [sampleRecord({ tenantId }), fullRecord({ tenantId, version: 1 }), sampleRecord({ tenantId })];
      const foreign = sampleRecord();
      const deleted = sampleRecord({ tenantId });
      for (const record of [...records, foreign, deleted]) await store().insert(record);
      await store().delete(deleted, 1);
      const [a, b, c] = records as [KeyRecord, KeyRecord, KeyRecord];
      await store().readForVerification(b);
      const asked = [c.keyId, "unknown", a.keyId, deleted.keyId, c.keyId, foreign.keyId, b.keyId, "\0"];
      for (const freshness of [undefined, ...FRESHNESSES]) {
        expect(await store().readManyForVerification(tenantId, asked, freshness)).toEqual(
          [c, undefined, a, undefined, c, undefined, b, undefined].map((record) => record && { ...record, version: 1 }),
        );
        expect(await store().readManyForVerification(tenantId, [], freshness)).toEqual([]);
      }
    });

    test("keep tenants apart", async () => {
      const record = sampleRecord();
      const twin = sampleRecord({ keyId: record.keyId, name: "twin" });
      await store().insert(record);
      await store().insert(twin);
      for (let round = 0; round < 2; round += 1) {
        expect((await store().readForVerification(record))?.name).toBe(record.name);
        expect((await store().readForVerification(twin))?.name).toBe("twin");
      }
    });

    test("see every write of the same handle at once", async () => {
      const record = sampleRecord();
      const verify = () => store().readForVerification(record);
      expect(await verify()).toBeUndefined();
      await store().insert(record);
      expect(await verify()).toEqual(record);
      for (let version = 1; version <= 20; version += 1) {
        await store().compareAndSet(record, version, { name: `name ${version}` });
        expect((await verify())?.name).toBe(`name ${version}`);
      }
      await store().delete(record, 21);
      expect(await verify()).toBeUndefined();
      await store().insert(record);
      expect(await verify()).toEqual({ ...record, version: 23 });
      await store().delete(record, 23);
      expect(await verify()).toBeUndefined();
      await store().insertMany([record]);
      expect(await verify()).toEqual({ ...record, version: 25 });
    });

    test("see a key that another handle has just made, and never remember that it was not there", async () => {
      const record = sampleRecord();
      expect(await store().readForVerification(record)).toBeUndefined();
      await other.insert(record);
      expect(await store().readForVerification(record)).toEqual(record);
    });

    test("that must be fresh see every write that was acknowledged before, by any handle", async () => {
      const record = sampleRecord();
      await store().insert(record);
      for (let version = 1; version <= 20; version += 1) {
        await store().readForVerification(record);
        await other.compareAndSet(record, version, { name: `name ${version}` });
        const freshness = version % 2 === 0 ? "fresh" : "unstored";
        const [read] = await store().readManyForVerification(record.tenantId, [record.keyId], freshness);
        expect(read?.name).toBe(`name ${version}`);
        // What has been seen once is not unseen.
        expect((await store().readForVerification(record))?.name).toBe(`name ${version}`);
      }
    });

    test("see a revocation by another handle before long, without a fresh read", async () => {
      const record = sampleRecord();
      await store().insert(record);
      expect(await store().readForVerification(record)).toEqual(record);
      await other.compareAndSet(record, 1, { revocation: { reason: "key_compromise" } });
      const revocation = await eventually("the revocation", async () => {
        return (await store().readForVerification(record))?.revocation;
      });
      expect(revocation).toEqual({ reason: "key_compromise" });
    });

    test("see a pending key's mark go with the write that clears it, by any handle", async () => {
      const record = sampleRecord({ pending: { predecessor: randomUUID(), version: 1 } });
      await store().insert(record);
      expect(await store().readForVerification(record)).toEqual(record);
      await other.compareAndSet(record, 1, { pending: null });
      const { pending: _, ...settled } = record;
      expect(await store().readForVerification(record)).toEqual({ ...settled, version: 2 });
    });

    test("are many at once", async () => {
      const tenantId = randomUUID();
      const records = Array.from({ length: 500 }, () => sampleRecord({ tenantId }));
      await store().insertMany(records);
      const keyIds = records.map(({ keyId }) => keyId);
      const many = other.readManyForVerification(tenantId, keyIds);
      const each = Promise.all(records.map((record) => other.readForVerification(record)));
      expect(await many).toEqual(records);
      expect(await each).toEqual(records);
    });
  });
}
