import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { KEY_FIELDS } from "../../src/domain/key-fields.js";
import { checkFilter } from "../../src/query/filter-checker.js";
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
      found.push(...page.records);
      if (page.end === undefined) return found;
      after = page.end;
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
      const { status } = record.listed;
      expect((await store().list({ tenantId, kind, limit: 10 })).records).toEqual([record]);
      expect((await store().list({ tenantId, kind, actorId, limit: 10 })).records).toEqual([record]);
      expect((await store().list({ tenantId, kind, status, limit: 10 })).records).toEqual([record]);
      expect((await store().list({ tenantId, kind, actorId, status, limit: 10 })).records).toEqual([record]);
      const changed = await store().compareAndSet(record, 1, { name: "changed" });
      expect((await store().list({ tenantId, kind, limit: 10 })).records).toEqual([changed]);
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
      const list = async (after: ListCursor) =>
        (await store().list({ tenantId, kind: "issued", after, limit: 10 })).records;
      expect(await list(third)).toEqual([second, first]);
      expect(await list({ createTime: new Date(1), keyId: "" })).toEqual([second, first]);
      expect(await list({ createTime: new Date(1), keyId: "zzz" })).toEqual([first]);
      expect(await list({ createTime: new Date(-1), keyId: "" })).toEqual([]);
    });

    test("keeps statuses apart, for all keys and for one actor's, and follows every change of one", async () => {
      const tenantId = randomUUID();
      const record = sampleRecord({ tenantId, actorId: "a" });
      const other = sampleRecord({ tenantId, actorId: "b", listed: { status: "expired" } });
      await insertAll([record, other]);
      const idsOf = async (query: Partial<ListQuery>) =>
        (await walk({ tenantId, kind: "issued", ...query })).map(({ keyId }) => keyId);
      expect(await idsOf({ status: "active" })).toEqual([record.keyId]);
      expect(await idsOf({ status: "expired" })).toEqual([other.keyId]);
      expect(await idsOf({ status: "revoked" })).toEqual([]);
      expect(await idsOf({ status: "active", kind: "imported" })).toEqual([]);
      expect(await idsOf({ status: "active", actorId: "a" })).toEqual([record.keyId]);
      expect(await idsOf({ status: "active", actorId: "b" })).toEqual([]);

      await store().compareAndSet(record, 1, { listed: { status: "expired", until: new Date(1) } });
      expect(await idsOf({ status: "active" })).toEqual([]);
      expect((await idsOf({ status: "expired" })).sort()).toEqual([record.keyId, other.keyId].sort());
      expect(await idsOf({ status: "expired", actorId: "a" })).toEqual([record.keyId]);
      await store().compareAndSet(record, 2, { name: "another" });
      expect(await idsOf({ status: "expired", actorId: "a" })).toEqual([record.keyId]);
      await store().compareAndSet(record, 3, { listed: { status: "revoked" } });
      expect(await idsOf({ status: "expired", actorId: "a" })).toEqual([]);
      expect(await idsOf({ status: "revoked", actorId: "a" })).toEqual([record.keyId]);
      await store().delete(record, 4);
      expect(await idsOf({ status: "revoked" })).toEqual([]);
      await store().insert(record);
      expect(await idsOf({ status: "active" })).toEqual([record.keyId]);
    });

    test("begins with the keys that were created at a time, where one is given", async () => {
      const tenantId = randomUUID();
      const records = [5, 4, 4, 3, 2].map((ms) =>
        sampleRecord({ tenantId, createTime: new Date(ms), listed: { status: "revoked" } }),
      );
      await insertAll(records);
      const timesOf = async (query: Partial<ListQuery>) =>
        (await walk({ tenantId, kind: "issued", ...query })).map(({ createTime }) => createTime.getTime());
      expect(await timesOf({ createdFrom: new Date(3) })).toEqual([5, 4, 4, 3]);
      expect(await timesOf({ createdFrom: new Date(4), status: "revoked" })).toEqual([5, 4, 4]);
      expect(await timesOf({ createdFrom: new Date(6) })).toEqual([]);
      expect(await timesOf({ createdFrom: new Date(-1), actorId: "user:alice" })).toEqual([5, 4, 4, 3, 2]);
    });

    test("may leave out what a filter does not match, never what it does, and goes no further than it may", async () => {
      const tenantId = randomUUID();
      const names = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? "wanted" : "other"));
      const records = names.map((name, index) => sampleRecord({ tenantId, name, createTime: new Date(-(index >> 1)) }));
      await insertAll(records);
      const filter = checkFilter("name=wanted", KEY_FIELDS);
      const inOrder = [...records].sort(inListOrder).map(({ keyId }) => keyId);
      const wanted = records.filter(({ name }) => name === "wanted").map(({ keyId }) => keyId);
      for (const scanLimit of [3, 7, 40, 100]) {
        const found: string[] = [];
        let after: ListCursor | undefined;
        for (let slices = 0; ; slices += 1) {
          expect(slices).toBeLessThanOrEqual(records.length);
          const limit = Math.min(3, scanLimit);
          const slice = await store().list({
            tenantId,
            kind: "issued",
            filter,
            limit,
            scanLimit,
            ...(after && { after }),
          });
          expect(slice.records.length).toBeLessThanOrEqual(limit);
          expect(slice.scanned).toBeLessThanOrEqual(scanLimit);
          // By where it ends, it cannot have looked at more than it says.
          const begin = after === undefined ? 0 : inOrder.indexOf(after.keyId) + 1;
          const end = slice.end === undefined ? inOrder.length : inOrder.indexOf(slice.end.keyId) + 1;
          expect(end - begin).toBeLessThanOrEqual(slice.scanned);
          found.push(...slice.records.filter(({ name }) => name === "wanted").map(({ keyId }) => keyId));
          if (slice.end === undefined) break;
          after = slice.end;
        }
        expect(found.sort()).toEqual([...wanted].sort());
      }
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
