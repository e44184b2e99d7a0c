import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyRecord, KeyStore, ListCursor, ListQuery } from "../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const PAGE_SIZE = 7;
const DAY_MS = 86_400_000;

export function describeLists(store: () => KeyStore): void {
  const insertAll = (records: readonly KeyRecord[]) => Promise.all(records.map((record) => store().insert(record)));

  async function walk(query: Omit<ListQuery, "limit" | "after">, betweenPages = async () => {}): Promise<KeyRecord[]> {
    const found: KeyRecord[] = [];
    for (let after: ListCursor | undefined; ; ) {
      const page = await store().list({ ...query, limit: PAGE_SIZE, ...(after === undefined ? {} : { after }) });
      found.push(...page);
      const last = page.at(-1);
      if (last === undefined) return found;
      after = { createTime: last.createTime, keyId: last.keyId };
      await betweenPages();
    }
  }

  describe("list", () => {
    test("is in (create time descending, key id ascending) order, page after page, whatever the order of inserts", async () => {
      const tenantId = randomUUID();
      // Eight times for 40 records, so that ties cross the ends of pages; one time is before 1970.
      const times = [5, 1, 3, 2, 4, 0, 0.001, -40].map((days) => new Date(days * DAY_MS));
      const records = Array.from({ length: 40 }, (_, index) =>
        sampleRecord({ tenantId, createTime: times[index % times.length] ?? new Date(0) }),
      );
      await insertAll(records);
      const keyIds = (await walk({ tenantId, kind: "issued" })).map((record) => record.keyId);
      expect(keyIds).toEqual([...records].sort(inListOrder).map((record) => record.keyId));
    });

    test("gives whole records", async () => {
      const record = fullRecord({ version: 1 });
      await store().insert(record);
      const { tenantId, kind, actorId } = record;
      expect(await store().list({ tenantId, kind, limit: 10 })).toEqual([record]);
      expect(await store().list({ tenantId, kind, actorId, limit: 10 })).toEqual([record]);
      const changed = await store().compareAndSet(record, 1, { name: "changed" });
      expect(await store().list({ tenantId, kind, limit: 10 })).toEqual([changed]);
    });

    test("keeps tenants and kinds apart", async () => {
      const issued = sampleRecord();
      const imported = sampleRecord({ tenantId: issued.tenantId, kind: "imported" });
      const foreign = sampleRecord({ kind: "imported" });
      await insertAll([issued, imported, foreign]);
      expect(await walk({ tenantId: issued.tenantId, kind: "issued" })).toEqual([issued]);
      expect(await walk({ tenantId: issued.tenantId, kind: "imported" })).toEqual([imported]);
      expect(await walk({ tenantId: randomUUID(), kind: "issued" })).toEqual([]);
    });

    test("keeps actors apart, however their names begin and whatever they hold", async () => {
      const tenantId = randomUUID();
      const actors = [
        "a",
        "ab",
        "a\0",
        "a\0b",
        "a/",
        "a\u0001",
        "A",
        " a",
        "\0",
        "$ne",
        "é",
        "e\u0301",
        "🦊",
        "a".repeat(255),
      ];
      const records = actors.flatMap((actorId) => [
        sampleRecord({ tenantId, actorId }),
        sampleRecord({ tenantId, actorId, createTime: new Date(DAY_MS) }),
      ]);
      await insertAll(records);
      for (const actorId of actors) {
        const expected = records.filter((record) => record.actorId === actorId).sort(inListOrder);
        expect(await walk({ tenantId, kind: "issued", actorId })).toEqual(expected);
      }
      expect(await walk({ tenantId, kind: "issued", actorId: "" })).toEqual([]);
      expect(await walk({ tenantId, kind: "imported", actorId: "a" })).toEqual([]);
    });

    test("a cursor may name a record that is gone, or never was", async () => {
      const tenantId = randomUUID();
      const records = Array.from({ length: 5 }, (_, index) => sampleRecord({ tenantId, createTime: new Date(index) }));
      await insertAll(records);
      const [first, second, third] = records as [KeyRecord, KeyRecord, KeyRecord];
      await store().delete(third, 1);
      const list = (after: ListCursor) => store().list({ tenantId, kind: "issued", after, limit: 10 });
      expect(await list(third)).toEqual([second, first]);
      expect(await list({ createTime: new Date(1), keyId: "" })).toEqual([second, first]);
      expect(await list({ createTime: new Date(1), keyId: "zzz" })).toEqual([first]);
      expect(await list({ createTime: new Date(-1), keyId: "" })).toEqual([]);
    });

    test("a walk sees every record that was there all the time exactly once, while others come, change and go", async () => {
      const tenantId = randomUUID();
      const actorId = "walker";
      const make = (index: number) => sampleRecord({ tenantId, actorId, createTime: new Date(1000 * (index % 20)) });
      const staying = Array.from({ length: 60 }, (_, index) => make(index));
      const leaving = Array.from({ length: 40 }, (_, index) => make(index));
      await insertAll([...staying, ...leaving]);

      for (const query of [{ tenantId, kind: "issued" } as const, { tenantId, kind: "issued", actorId } as const]) {
        let step = 0;
        const found = await walk(query, async () => {
          step += 1;
          const changing = staying[step % staying.length];
          const going = leaving.pop();
          const current = changing && (await store().read(changing));
          if (current) await store().compareAndSet(current, current.version, { name: `step ${step}` });
          if (going) await store().delete(going, 1);
          await store().insert(make(step * 3));
        });
        const keyIds = found.map((record) => record.keyId);
        expect(new Set(keyIds).size).toBe(keyIds.length);
        expect(keyIds).toEqual(expect.arrayContaining(staying.map((record) => record.keyId)));
      }
    });
  });
}

function inListOrder(a: KeyRecord, b: KeyRecord): number {
  return b.createTime.getTime() - a.createTime.getTime() || (a.keyId < b.keyId ? -1 : 1);
}
