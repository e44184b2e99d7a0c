import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { sampleRecord } from "./sample-record.js";

const HOUR_MS = 3_600_000;
const MANY = 1000;

export function describeSweeping(store: () => KeyStore): void {
  describe("listPending", () => {
    const pending = { predecessor: randomUUID(), version: 3 };
    const pendingOf = async (tenantIds: readonly string[], createdBefore: Date) => {
      const found = await store().listPending(createdBefore, MANY);
      return found.filter((record) => tenantIds.includes(record.tenantId)).map((record) => record.keyId);
    };

    test("finds pending records of every tenant that were created before a time", async () => {
      const early = sampleRecord({ pending, createTime: new Date(1000), kind: "imported" });
      const late = sampleRecord({ pending, createTime: new Date(2000) });
      const settled = sampleRecord({ createTime: new Date(1000) });
      for (const record of [late, early, settled]) await store().insert(record);
      const tenants = [early.tenantId, late.tenantId, settled.tenantId];
      expect(await pendingOf(tenants, new Date(1000))).toEqual([]);
      expect(await pendingOf(tenants, new Date(1001))).toEqual([early.keyId]);
      expect(await pendingOf(tenants, new Date(2001))).toEqual([early.keyId, late.keyId]);
      expect(await store().listPending(new Date(1001), 1)).toHaveLength(1);
    });

    test("follows every change of the field", async () => {
      const record = sampleRecord({ pending });
      const isListed = async () => (await pendingOf([record.tenantId], new Date())).length === 1;
      await store().insert(record);
      expect(await isListed()).toBe(true);
      await store().compareAndSet(record, 1, { pending: { ...pending, version: 4 } });
      expect(await isListed()).toBe(true);
      await store().compareAndSet(record, 2, { pending: null });
      expect(await isListed()).toBe(false);
      await store().compareAndSet(record, 3, { pending });
      expect(await isListed()).toBe(true);
      await store().delete(record, 4);
      expect(await isListed()).toBe(false);
      await store().insert({ ...record, pending });
      expect(await isListed()).toBe(true);
    });
  });

  describe("listSealed", () => {
    const box = new Uint8Array([1, 2, 3]);
    const sealedUntil = (expireTime: Date) => ({ sealedSecret: { box, expireTime } });
    const sealedOf = async (records: readonly KeyRecord[], expiredBefore: Date) => {
      const tenantIds = new Set(records.map((record) => record.tenantId));
      const found = await store().listSealed(expiredBefore, MANY);
      return found.filter((record) => tenantIds.has(record.tenantId));
    };

    test("finds records of every tenant whose sealed secret expired before a time, oldest expiry first", async () => {
      // Created in the opposite order, so that it is not the create time that orders them.
      const early = sampleRecord({ ...sealedUntil(new Date(-2000)), createTime: new Date(9), kind: "imported" });
      const middle = sampleRecord({ ...sealedUntil(new Date(-1000)), createTime: new Date(8) });
      const late = sampleRecord({ ...sealedUntil(new Date(-500)), createTime: new Date(7) });
      const unsealed = sampleRecord({ createTime: new Date(-3000), expireTime: new Date(-3000) });
      const records = [late, early, unsealed, middle];
      for (const record of records) await store().insert(record);
      expect(await sealedOf(records, new Date(-2000))).toEqual([]);
      expect(await sealedOf(records, new Date(-1999))).toEqual([early]);
      expect(await sealedOf(records, new Date(0))).toEqual([early, middle, late]);
      expect(await store().listSealed(new Date(-499), 2)).toEqual([early, middle]);
      expect(await store().listSealed(new Date(-499), 0)).toEqual([]);
    });

    test("follows every change of the field", async () => {
      const record = sampleRecord(sealedUntil(new Date(1000)));
      const listed = async (expiredBefore: number) => (await sealedOf([record], new Date(expiredBefore))).length;
      await store().insert(record);
      expect(await listed(1001)).toBe(1);
      await store().compareAndSet(record, 1, { name: "another" });
      expect(await listed(1001)).toBe(1);
      await store().compareAndSet(record, 2, sealedUntil(new Date(2000)));
      expect(await listed(1001)).toBe(0);
      expect(await listed(2001)).toBe(1);
      await store().compareAndSet(record, 3, { sealedSecret: null });
      expect(await listed(2001)).toBe(0);
      await store().compareAndSet(record, 4, sealedUntil(new Date(500)));
      expect(await listed(501)).toBe(1);
      await store().delete(record, 5);
      expect(await listed(2001)).toBe(0);
      await store().insert(record);
      expect(await sealedOf([record], new Date(1001))).toEqual([{ ...record, version: 7 }]);
      await store().delete(record, 7);
      const { sealedSecret: _none, ...unsealed } = record;
      await store().insert(unsealed);
      expect(await listed(2001)).toBe(0);
    });
  });

  describe("listDue", () => {
    const dueOf = async (records: readonly KeyRecord[], before: Date) => {
      const tenantIds = new Set(records.map((record) => record.tenantId));
      return (await store().listDue(before, MANY)).filter((record) => tenantIds.has(record.tenantId));
    };

    test("finds records of every tenant whose status ends before a time, the one that ends first first", async () => {
      const until = (ms: number) => ({ listed: { status: "active" as const, until: new Date(ms) } });
      const early = sampleRecord({ ...until(-9_000), createTime: new Date(9), kind: "imported" });
      const late = sampleRecord({ ...until(-8_000), createTime: new Date(8) });
      const lasting = sampleRecord({ expireTime: new Date(-9_000), createTime: new Date(-9_000) });
      for (const record of [late, lasting, early]) await store().insert(record);
      const records = [late, lasting, early];
      expect(await dueOf(records, new Date(-9_000))).toEqual([]);
      expect(await dueOf(records, new Date(-8_999))).toEqual([early]);
      expect(await dueOf(records, new Date(0))).toEqual([early, late]);
      expect(await store().listDue(new Date(-7_999), 1)).toEqual([early]);
      expect(await store().listDue(new Date(-7_999), 0)).toEqual([]);
    });

    test("follows every change of the field", async () => {
      const record = sampleRecord({ listed: { status: "active", until: new Date(1000) } });
      const due = async (before: number) => (await dueOf([record], new Date(before))).length;
      await store().insert(record);
      expect(await due(1001)).toBe(1);
      await store().compareAndSet(record, 1, { listed: { status: "active", until: new Date(2000) } });
      expect([await due(1001), await due(2001)]).toEqual([0, 1]);
      await store().compareAndSet(record, 2, { listed: { status: "expired" } });
      expect(await due(2001)).toBe(0);
      await store().compareAndSet(record, 3, { listed: { status: "active", until: new Date(500) } });
      expect(await due(501)).toBe(1);
      await store().delete(record, 4);
      expect(await due(2001)).toBe(0);
    });
  });

  describe("listAhead", () => {
    const aheadOf = async (records: readonly KeyRecord[], after: Date) => {
      const tenantIds = new Set(records.map((record) => record.tenantId));
      return (await store().listAhead(after, MANY)).filter((record) => tenantIds.has(record.tenantId));
    };
    /** Later than any other test's. */
    const FAR_MS = Date.UTC(9000, 0);
    const since = (ms: number) => ({ listed: { status: "expired" as const, since: new Date(FAR_MS + ms) } });

    test("finds records of every tenant whose status began after a time, the one that began last first", async () => {
      const early = sampleRecord({ ...since(1), createTime: new Date(9), kind: "imported" });
      const late = sampleRecord({ ...since(2), createTime: new Date(8) });
      const lasting = sampleRecord({ expireTime: new Date(FAR_MS + 3) });
      const records = [early, lasting, late];
      for (const record of records) await store().insert(record);
      expect(await aheadOf(records, new Date(FAR_MS + 2))).toEqual([]);
      expect(await aheadOf(records, new Date(FAR_MS + 1))).toEqual([late]);
      expect(await aheadOf(records, new Date(FAR_MS))).toEqual([late, early]);
      expect(await store().listAhead(new Date(FAR_MS), 1)).toEqual([late]);
      expect(await store().listAhead(new Date(FAR_MS), 0)).toEqual([]);
    });

    test("follows every change of the field", async () => {
      const record = sampleRecord(since(10));
      const ahead = async (ms: number) => (await aheadOf([record], new Date(FAR_MS + ms))).length;
      await store().insert(record);
      expect([await ahead(9), await ahead(10)]).toEqual([1, 0]);
      await store().compareAndSet(record, 1, since(20));
      expect([await ahead(19), await ahead(20)]).toEqual([1, 0]);
      await store().compareAndSet(record, 2, { listed: { status: "active" } });
      expect(await ahead(0)).toBe(0);
      await store().compareAndSet(record, 3, since(5));
      expect(await ahead(4)).toBe(1);
      await store().delete(record, 4);
      expect(await ahead(4)).toBe(0);
    });
  });

  describe("removeTombstones", () => {
    const past = () => new Date(Date.now() - HOUR_MS);
    const future = () => new Date(Date.now() + HOUR_MS);
    const removeAll = async () => {
      while ((await store().removeTombstones(future(), MANY)) > 0) {
        // until there are none
      }
    };

    test("removes those made before a time, a few at a time, and nothing else", async () => {
      await removeAll();
      const records = Array.from({ length: 5 }, () => sampleRecord());
      const living = sampleRecord();
      await store().insert(living);
      for (const record of records) {
        await store().insert(record);
        await store().delete(record, 1);
      }
      expect(await store().removeTombstones(past(), 10)).toBe(0);
      expect(await store().removeTombstones(future(), 3)).toBe(3);
      expect(await store().removeTombstones(future(), 3)).toBe(2);
      expect(await store().removeTombstones(future(), 3)).toBe(0);
      expect(await store().read(living)).toEqual(living);
      // Nothing is left of them: their versions start again.
      for (const record of records) {
        expect(await store().insert(record)).toEqual({ outcome: "inserted", record });
      }
    });

    test("leaves a tombstone that became a key again", async () => {
      await removeAll();
      const record = sampleRecord();
      await store().insert(record);
      await store().delete(record, 1);
      await store().insert(record);
      expect(await store().removeTombstones(future(), 10)).toBe(0);
      expect(await store().read(record)).toEqual({ ...record, version: 3 });
      await store().delete(record, 3);
      expect(await store().removeTombstones(future(), 10)).toBe(1);
    });
  });

  describe("acquireLease", () => {
    test("is held by one, who may renew it", async () => {
      const name = randomUUID();
      expect(await store().acquireLease(name, "$a", HOUR_MS)).toBe(true);
      expect(await store().acquireLease(name, "b", HOUR_MS)).toBe(false);
      expect(await store().acquireLease(name, "$a", HOUR_MS)).toBe(true);
      expect(await store().acquireLease(randomUUID(), "b", HOUR_MS)).toBe(true);
    });

    test("ends, and is then for anyone", async () => {
      const name = randomUUID();
      expect(await store().acquireLease(name, "a", HOUR_MS)).toBe(true);
      expect(await store().acquireLease(name, "a", 1)).toBe(true);
      while (!(await store().acquireLease(name, "b", HOUR_MS))) {
        // until the millisecond is over
      }
      expect(await store().acquireLease(name, "a", HOUR_MS)).toBe(false);
    });

    test("of many who ask at once exactly one gets it", async () => {
      const name = randomUUID();
      const holders = Array.from({ length: 20 }, (_, index) => `holder ${index}`);
      const results = await Promise.all(holders.map((holder) => store().acquireLease(name, holder, HOUR_MS)));
      expect(results.filter(Boolean)).toHaveLength(1);
    });
  });
}
