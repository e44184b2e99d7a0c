import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { InsertResult, KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const MOST_RECORDS = 1000;
/** The largest record that the service makes, about. */
const LARGE_BYTES = 16 * 1024;
const CALLERS = 10;
const EXISTS: InsertResult = { outcome: "exists" };

export function describeBulk(store: () => KeyStore): void {
  const inserted = (record: KeyRecord, version = 1): InsertResult => ({
    outcome: "inserted",
    record: { ...record, version },
  });
  const makeRecords = (length: number, fields: Partial<KeyRecord> = {}) =>
    Array.from({ length }, () => sampleRecord({ keyId: randomBytes(32).toString("hex"), ...fields }));

  describe("insertMany", () => {
    test("creates each record at version 1, whatever version it carries, in order", async () => {
      const records = [sampleRecord({ version: 42 }), fullRecord(), sampleRecord(), fullRecord({ version: 7 })];
      expect(await store().insertMany(records)).toEqual(records.map((record) => inserted(record)));
      for (const record of records) expect(await store().read(record)).toEqual({ ...record, version: 1 });
    });

    test("of nothing does nothing", async () => {
      expect(await store().insertMany([])).toEqual([]);
    });

    test("lists what it inserted, as every insert does", async () => {
      const tenantId = randomUUID();
      const record = fullRecord({ tenantId, createTime: new Date(1), version: 1 });
      await store().insertMany([record]);
      const { kind, actorId } = record;
      expect((await store().list({ tenantId, kind, limit: 2 })).records).toEqual([record]);
      expect((await store().list({ tenantId, kind, actorId, limit: 2 })).records).toEqual([record]);
      expect(await store().listPending(new Date(2), MOST_RECORDS)).toContainEqual(record);
      const expireTime = record.sealedSecret?.expireTime.getTime() ?? 0;
      expect(await store().listSealed(new Date(expireTime + 1), MOST_RECORDS)).toContainEqual(record);
    });

    test("one that exists is untouched, and hinders no other", async () => {
      const [first, second, third, fourth] = makeRecords(4) as [KeyRecord, KeyRecord, KeyRecord, KeyRecord];
      await store().insert(second);
      await store().insert(fourth);
      await store().compareAndSet(fourth, 1, { name: "changed" });
      const again = { ...second, name: "another" };
      expect(await store().insertMany([first, again, third, fourth])).toEqual([
        inserted(first),
        EXISTS,
        inserted(third),
        EXISTS,
      ]);
      expect(await store().read(second)).toEqual(second);
      expect(await store().read(fourth)).toEqual({ ...fourth, name: "changed", version: 2 });
      // The very same records: what an earlier call wrote is not taken for this one's.
      expect(await store().insertMany([first, third])).toEqual([EXISTS, EXISTS]);
    });

    test("of those with one id in a call the first is taken", async () => {
      const [once, twice, there] = makeRecords(3) as [KeyRecord, KeyRecord, KeyRecord];
      await store().insert(there);
      const foreign = { ...twice, tenantId: randomUUID() };
      const call = [twice, { ...twice, name: "second" }, once, there, foreign, twice, there];
      expect(await store().insertMany(call)).toEqual([
        inserted(twice),
        EXISTS,
        inserted(once),
        EXISTS,
        inserted(foreign),
        EXISTS,
        EXISTS,
      ]);
      expect(await store().read(twice)).toEqual(twice);
      expect(await store().read(foreign)).toEqual(foreign);
    });

    test("continues the versions of tombstones", async () => {
      const old = Array.from({ length: 20 }, () => fullRecord());
      for (const record of old) await store().insert(record);
      for (const record of old) await store().delete(record, 1);
      const fresh = makeRecords(2);
      const again = old.map((record) =>
        sampleRecord({ tenantId: record.tenantId, keyId: record.keyId, name: "$again" }),
      );
      const call = [...fresh, ...again, ...again.slice(0, 1)];
      expect(await store().insertMany(call)).toEqual([
        ...fresh.map((record) => inserted(record)),
        ...again.map((record) => inserted(record, 3)),
        EXISTS,
      ]);
      for (const record of again) expect(await store().read(record)).toEqual({ ...record, version: 3 });
      const [one] = again as [KeyRecord];
      expect(await store().compareAndSet(one, 2, { name: "stale" })).toBeUndefined();
      expect(await store().compareAndSet(one, 3, { name: "next" })).toMatchObject({ name: "next", version: 4 });
    });

    test("of many callers with the same ids exactly one gets each, single inserts among them", async () => {
      const tenantId = randomUUID();
      const records = makeRecords(40, { tenantId });
      const buried = records.slice(0, 10);
      await store().insertMany(buried);
      for (const record of buried) await store().delete(record, 1);
      const claimants = Array.from({ length: CALLERS }, (_, caller) =>
        records.map((record) => ({ ...record, name: `caller ${caller}`, deriveSeed: new Uint8Array(randomBytes(32)) })),
      );
      const singles = records.map((record) => ({ ...record, name: "single" }));
      const [bulks, ones] = await Promise.all([
        // Every other one backwards, so that they meet.
        Promise.all(claimants.map((own, caller) => store().insertMany(caller % 2 === 0 ? own : own.reverse()))),
        Promise.all(singles.map((record) => store().insert(record))),
      ]);
      const winners = [...bulks.flat(), ...ones].flatMap((result) =>
        result.outcome === "inserted" ? [result.record] : [],
      );
      expect(winners).toHaveLength(records.length);
      const byKeyId = new Map(winners.map((record) => [record.keyId, record]));
      for (const record of records) expect(await store().read(record)).toEqual(byKeyId.get(record.keyId));
      const versions = records.map((record) => byKeyId.get(record.keyId)?.version);
      expect(versions).toEqual(records.map((record) => (buried.includes(record) ? 3 : 1)));
    });

    test("takes a thousand of the largest records, some of which are there", async () => {
      const tenantId = randomUUID();
      const metadata = { text: "x".repeat(LARGE_BYTES) };
      const records = makeRecords(MOST_RECORDS, { tenantId, metadata });
      const there = records.filter((_, index) => index % 100 === 0);
      await store().insertMany(there);
      const results = await store().insertMany(records);
      expect(results).toHaveLength(records.length);
      for (const [index, record] of records.entries()) {
        expect(results[index]).toEqual(index % 100 === 0 ? EXISTS : inserted(record));
      }
      const listed = new Set<string>();
      const { records: found } = await store().list({ tenantId, kind: "issued", limit: 2 * MOST_RECORDS });
      for (const record of found) listed.add(record.keyId);
      expect(listed).toEqual(new Set(records.map((record) => record.keyId)));
    });

    test("keeps nothing of what it was given", async () => {
      const list = [1];
      const record = sampleRecord({ metadata: { list } });
      const [result] = await store().insertMany([record]);
      list.push(2);
      expect((await store().read(record))?.metadata).toEqual({ list: [1] });
      if (result?.outcome !== "inserted") throw new Error("not inserted");
      expect(result.record.metadata).toEqual({ list: [1] });
    });
  });
}
