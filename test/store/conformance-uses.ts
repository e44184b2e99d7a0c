import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyStore } from "../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

/** After the time that sample records were created. */
const time = (second: number) => new Date(Date.UTC(2026, 5, 1, 0, 0, second));

export function describeUses(store: () => KeyStore): void {
  describe("recordUses", () => {
    test("sets the time of the last use and nothing else, of any number of records of any tenant", async () => {
      const records = [
        sampleRecord(),
        fullRecord({ version: 1 }),
        ...Array.from({ length: 250 }, () => sampleRecord()),
      ];
      await store().insertMany(records);
      await store().recordUses(records.map((record, index) => ({ ...record, time: time(index) })));
      for (const [index, record] of records.entries()) {
        expect(await store().read(record)).toEqual({ ...record, lastUsedTime: time(index) });
      }
      await store().recordUses([]);
    });

    test("never sets it back, whatever the order, also within one call", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const uses = [3, 5, 4].map((second) => ({ ...record, time: time(second) }));
      await store().recordUses(uses);
      expect((await store().read(record))?.lastUsedTime).toEqual(time(5));
      await store().recordUses([{ ...record, time: time(2) }]);
      expect((await store().read(record))?.lastUsedTime).toEqual(time(5));
      await store().recordUses([{ ...record, time: time(6) }]);
      expect((await store().read(record))?.lastUsedTime).toEqual(time(6));
    });

    test("is no new version, so that another's change at the same time succeeds, and keeps it", async () => {
      const record = sampleRecord();
      await store().insert(record);
      await store().recordUses([{ ...record, time: time(1) }]);
      const changed = await store().compareAndSet(record, 1, { name: "changed" });
      expect(changed).toEqual({ ...record, version: 2, name: "changed", lastUsedTime: time(1) });
      const list = { tenantId: record.tenantId, kind: record.kind, limit: 2 };
      expect((await store().list(list)).records).toEqual([changed]);
    });

    test("says nothing of what is not there: unknown and deleted keys, and one that was created later", async () => {
      const deleted = sampleRecord();
      await store().insert(deleted);
      await store().delete(deleted, 1);
      const unknown = { tenantId: randomUUID(), keyId: "\ud800", time: time(1) };
      await store().recordUses([unknown, { ...deleted, time: time(1) }, { ...unknown, keyId: "unknown" }]);
      expect(await store().read(deleted)).toBeUndefined();
      const again = { ...deleted, createTime: time(2) };
      await store().insert(again);
      await store().recordUses([{ ...again, time: time(1) }]);
      expect(await store().read(again)).toEqual({ ...again, version: 3 });
    });
  });
}
