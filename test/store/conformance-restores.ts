import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const MANY = 1_000;

export function describeRestores(store: () => KeyStore): void {
  const listed = async ({ tenantId, kind, actorId }: KeyRecord, status: KeyRecord["listed"]["status"]) =>
    (await store().list({ tenantId, kind, actorId, status, limit: 5 })).records;

  describe("restoreMany", () => {
    test("writes records as they are, their versions included", async () => {
      const records = [sampleRecord({ version: 42 }), fullRecord({ version: 7 }), sampleRecord()];
      expect(await store().restoreMany(records)).toEqual(["restored", "restored", "restored"]);
      for (const record of records) {
        expect(await store().read(record)).toEqual(record);
        expect(await listed(record, record.listed.status)).toEqual([record]);
      }
      const [first] = records as [KeyRecord];
      expect(await store().compareAndSet(first, 42, { name: "next" })).toMatchObject({ name: "next", version: 43 });
    });

    test("of nothing does nothing", async () => {
      expect(await store().restoreMany([])).toEqual([]);
    });

    test("again changes nothing", async () => {
      const record = fullRecord({ version: 3 });
      await store().restoreMany([record]);
      expect(await store().restoreMany([record])).toEqual(["restored"]);
      expect(await store().read(record)).toEqual(record);
    });

    test("writes over an older version, and takes it out of its lists", async () => {
      const old = fullRecord({ version: 1, listed: { status: "active", until: new Date(1) } });
      await store().insert(old);
      const { sealedSecret, pending, revocation, metadata, ...rest } = old;
      const record: KeyRecord = { ...rest, version: 5, name: "newer", listed: { status: "revoked" } };
      expect(await store().restoreMany([record])).toEqual(["restored"]);
      expect(await store().read(record)).toEqual(record);
      expect(await store().readForVerification(record)).toEqual(record);
      expect(await listed(record, "active")).toEqual([]);
      expect(await listed(record, "revoked")).toEqual([record]);
      const hasId = (records: KeyRecord[]) => records.some(({ keyId }) => keyId === record.keyId);
      expect(hasId(await store().listDue(new Date(2), MANY))).toBe(false);
      expect(hasId(await store().listPending(new Date(8e12), MANY))).toBe(false);
      expect(hasId(await store().listSealed(new Date(8e12), MANY))).toBe(false);
    });

    test("keeps what has a newer version, and another record of the same one", async () => {
      const records = [sampleRecord(), sampleRecord()] as const;
      await store().insertMany(records);
      const [newer, other] = records;
      await store().compareAndSet(newer, 1, { name: "changed" });
      const calls = [
        { ...newer, name: "older" },
        { ...other, name: "another", deriveSeed: new Uint8Array(randomBytes(32)) },
        sampleRecord({ version: 9 }),
      ];
      expect(await store().restoreMany(calls)).toEqual(["kept", "kept", "restored"]);
      expect(await store().read(newer)).toEqual({ ...newer, name: "changed", version: 2 });
      expect(await store().read(other)).toEqual(other);
    });

    test("writes over an older tombstone, and not over a newer one", async () => {
      const tenantId = randomUUID();
      const [over, under, same] = [1, 2, 3].map(() => sampleRecord({ tenantId })) as [KeyRecord, KeyRecord, KeyRecord];
      await store().insertMany([over, under, same]);
      for (const id of [over, under, same]) await store().delete(id, 1); // each is a tombstone of version 2
      const calls = [
        { ...over, version: 3 },
        { ...under, version: 1 },
        { ...same, version: 2 },
      ];
      expect(await store().restoreMany(calls)).toEqual(["restored", "kept", "kept"]);
      expect(await store().read(over)).toEqual({ ...over, version: 3 });
      expect(await store().read(under)).toBeUndefined();
      expect(await store().read(same)).toBeUndefined();
      // What was a tombstone is collected as none any more.
      await store().removeTombstones(new Date(8e15), MANY);
      expect(await store().read(over)).toEqual({ ...over, version: 3 });
    });

    test("of many callers with one record, each restores it", async () => {
      const records = Array.from({ length: 50 }, () => sampleRecord({ version: 4 }));
      const results = await Promise.all(Array.from({ length: 5 }, () => store().restoreMany(records)));
      expect(new Set(results.flat())).toEqual(new Set(["restored"]));
      for (const record of records) expect(await store().read(record)).toEqual(record);
    });
  });
}
