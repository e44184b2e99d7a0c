import { describe, expect, test } from "@jest/globals";
import type { KeyChange, KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { fullRecord, nastyMetadata, sampleRecord } from "./sample-record.js";

const CALLERS = 50;

export function describeWrites(store: () => KeyStore): void {
  describe("insert", () => {
    test("creates the record at version 1, whatever version it carries", async () => {
      const record = sampleRecord({ version: 42 });
      expect(await store().insert(record)).toEqual({ outcome: "inserted", record: { ...record, version: 1 } });
      expect(await store().read(record)).toEqual({ ...record, version: 1 });
    });

    test("never overwrites", async () => {
      const record = sampleRecord();
      await store().insert(record);
      expect(await store().insert({ ...record, name: "another" })).toEqual({ outcome: "exists" });
      expect(await store().read(record)).toEqual(record);
      await store().compareAndSet(record, 1, { name: "changed" });
      expect(await store().insert(record)).toEqual({ outcome: "exists" });
      expect((await store().read(record))?.name).toBe("changed");
    });

    test("of many callers with one key id exactly one wins", async () => {
      const record = sampleRecord();
      const names = Array.from({ length: CALLERS }, (_, index) => `caller ${index}`);
      const results = await Promise.all(names.map((name) => store().insert({ ...record, name })));
      const winners = results.flatMap((result, index) => (result.outcome === "inserted" ? [names[index]] : []));
      expect(winners).toHaveLength(1);
      expect(await store().read(record)).toEqual({ ...record, name: winners[0] });
    });

    test("continues a tombstone's version", async () => {
      const record = fullRecord();
      await store().insert(record);
      await store().compareAndSet(record, 1, { name: "second" });
      expect(await store().delete(record, 2)).toBe(true);
      const again = sampleRecord({ tenantId: record.tenantId, keyId: record.keyId, version: 1, name: "$again" });
      expect(await store().insert(again)).toEqual({ outcome: "inserted", record: { ...again, version: 4 } });
      expect(await store().read(again)).toEqual({ ...again, version: 4 });
      expect(await store().compareAndSet(again, 2, { name: "stale" })).toBeUndefined();
      expect(await store().compareAndSet(again, 3, { name: "stale" })).toBeUndefined();
      expect(await store().insert(again)).toEqual({ outcome: "exists" });
    });

    test("of many callers that replace one tombstone exactly one wins", async () => {
      const record = sampleRecord();
      await store().insert(record);
      await store().delete(record, 1);
      const results = await Promise.all(Array.from({ length: CALLERS }, () => store().insert(record)));
      expect(results.filter((result) => result.outcome === "inserted")).toHaveLength(1);
      expect((await store().read(record))?.version).toBe(3);
    });
  });

  describe("compareAndSet", () => {
    test("changes the named fields only, adds 1 to the version, answers the record as it is afterwards", async () => {
      const record = fullRecord();
      await store().insert(record);
      const change: KeyChange = { name: "$renamed", updateTime: new Date("2026-05-06T07:08:09.010Z") };
      const changed = { ...record, ...change, version: 2 };
      expect(await store().compareAndSet(record, 1, change)).toEqual(changed);
      expect(await store().read(record)).toEqual(changed);
    });

    test("sets every field that may change, and null removes the optional ones", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const full = fullRecord();
      const everything = pick(full, [
        "name",
        "scopes",
        "metadata",
        "rateLimitPolicy",
        "allowedCidrs",
        "updateTime",
        "revocation",
        "successor",
        "pending",
        "sealedSecret",
      ]) as KeyChange;
      expect(await store().compareAndSet(record, 1, everything)).toEqual({ ...record, ...everything, version: 2 });
      const removed = await store().compareAndSet(record, 2, {
        metadata: null,
        rateLimitPolicy: null,
        allowedCidrs: null,
        revocation: null,
        successor: null,
        pending: null,
        sealedSecret: null,
        scopes: [],
      });
      expect(removed).toEqual({ ...record, name: full.name, updateTime: full.updateTime, version: 3 });
      expect(Object.keys(removed ?? {})).not.toContain("metadata");
      expect(await store().read(record)).toEqual(removed);
    });

    test("leaves what never changes, whatever the change names", async () => {
      const record = fullRecord();
      await store().insert(record);
      const { idempotency, deriveSeed, kind } = fullRecord();
      const change = { idempotency, deriveSeed, kind, actorId: "another", sealedSecret: null };
      const { sealedSecret: _removed, ...left } = record;
      expect(await store().compareAndSet(record, 1, change as KeyChange)).toEqual({ ...left, version: 2 });
      expect(await store().read(record)).toEqual({ ...left, version: 2 });
    });

    test("replaces metadata and policies as a whole", async () => {
      const record = fullRecord({ metadata: { kept: { no: 1 } } });
      await store().insert(record);
      const change: KeyChange = {
        metadata: nastyMetadata(),
        rateLimitPolicy: { quota: 1n, windowMs: 1, unit: "requests" },
        revocation: { graceEnd: new Date(0), reason: "unspecified" },
      };
      expect(await store().compareAndSet(record, 1, change)).toEqual({ ...record, ...change, version: 2 });
      expect(await store().compareAndSet(record, 2, { metadata: {} })).toMatchObject({ metadata: {}, version: 3 });
    });

    test("with no field at all still takes a version", async () => {
      const record = sampleRecord();
      await store().insert(record);
      expect(await store().compareAndSet(record, 1, {})).toEqual({ ...record, version: 2 });
    });

    test("is no match at another version, for an unknown key, another tenant and a deleted key", async () => {
      const record = sampleRecord();
      const stranger = sampleRecord();
      await store().insert(record);
      const change = { name: "changed" };
      expect(await store().compareAndSet(record, 2, change)).toBeUndefined();
      expect(await store().compareAndSet(record, 0, change)).toBeUndefined();
      expect(await store().compareAndSet(stranger, 1, change)).toBeUndefined();
      expect(await store().compareAndSet({ ...record, tenantId: stranger.tenantId }, 1, change)).toBeUndefined();
      expect(await store().read(record)).toEqual(record);
      expect(await store().read(stranger)).toBeUndefined();
      await store().delete(record, 1);
      for (const version of [1, 2, 3]) {
        expect(await store().compareAndSet(record, version, change)).toBeUndefined();
      }
      expect(await store().read(record)).toBeUndefined();
    });

    test("of many callers at one version exactly one wins", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const names = Array.from({ length: CALLERS }, (_, index) => `caller ${index}`);
      const results = await Promise.all(names.map((name) => store().compareAndSet(record, 1, { name })));
      const winners = results.filter((result) => result !== undefined);
      expect(winners).toHaveLength(1);
      expect(await store().read(record)).toEqual(winners[0]);
    });

    test("of a change and a delete at one version exactly one wins", async () => {
      for (let round = 0; round < 20; round += 1) {
        const record = sampleRecord();
        await store().insert(record);
        const [changed, deleted] = await Promise.all([
          store().compareAndSet(record, 1, { name: "changed" }),
          store().delete(record, 1),
        ]);
        expect(deleted).toBe(changed === undefined);
        expect(await store().read(record)).toEqual(changed);
      }
    });

    test("counts every change when callers retry", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const addScope = async (scope: string): Promise<void> => {
        for (;;) {
          const current = await store().read(record);
          if (current === undefined) throw new Error("the record is gone");
          const scopes = [...current.scopes, scope];
          if ((await store().compareAndSet(record, current.version, { scopes })) !== undefined) return;
        }
      };
      const scopes = Array.from({ length: 10 }, (_, index) => `scope${index}`);
      await Promise.all(scopes.map(addScope));
      const final = await store().read(record);
      expect(final?.version).toBe(11);
      expect([...(final?.scopes ?? [])].sort()).toEqual(scopes);
    });
  });

  describe("delete", () => {
    test("hides the record from every read and list", async () => {
      const record = sampleRecord({ pending: { predecessor: "x", version: 1 }, createTime: new Date(1) });
      await store().insert(record);
      expect(await store().delete(record, 1)).toBe(true);
      const { tenantId, kind, actorId } = record;
      expect(await store().read(record)).toBeUndefined();
      expect(await store().readMany(tenantId, [record.keyId])).toEqual([undefined]);
      const nothing = { records: [], scanned: 0 };
      expect(await store().list({ tenantId, kind, limit: 10 })).toEqual(nothing);
      expect(await store().list({ tenantId, kind, actorId, limit: 10 })).toEqual(nothing);
      expect(await store().listPending(new Date(2), 10)).toEqual([]);
    });

    test("of many callers at one version exactly one wins", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const results = await Promise.all(Array.from({ length: CALLERS }, () => store().delete(record, 1)));
      expect(results.filter(Boolean)).toHaveLength(1);
    });

    test("is no match at another version, for an unknown key and the second time", async () => {
      const record = sampleRecord();
      expect(await store().delete(record, 1)).toBe(false);
      await store().insert(record);
      expect(await store().delete(record, 2)).toBe(false);
      expect(await store().read(record)).toEqual(record);
      expect(await store().delete(record, 1)).toBe(true);
      for (const version of [1, 2, 3]) expect(await store().delete(record, version)).toBe(false);
    });
  });
}

function pick(record: KeyRecord, fields: readonly (keyof KeyRecord)[]): Partial<KeyRecord> {
  return Object.fromEntries(fields.map((field) => [field, record[field]]));
}
