import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyId, KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

const MOST_SLICES = 100_000;

export function describeScans(store: () => KeyStore): void {
  /** All records, and how many slices it took. */
  async function walk(limit: number, onSlice: (slice: number) => Promise<void> = async () => {}): Promise<KeyRecord[]> {
    const records: KeyRecord[] = [];
    let after: KeyId | undefined;
    for (let slice = 1; slice <= MOST_SLICES; slice += 1) {
      const { records: some, end } = await store().scan(after, limit);
      expect(some.length).toBeLessThanOrEqual(limit);
      records.push(...some);
      if (end === undefined) return records;
      after = end;
      await onSlice(slice);
    }
    throw new Error("the walk has no end");
  }
  const ofTenants = (records: readonly KeyRecord[], tenants: readonly string[]) =>
    records.filter(({ tenantId }) => tenants.includes(tenantId));
  const nameOf = ({ tenantId, keyId }: KeyRecord) => `${tenantId} ${keyId}`;
  const byName = (a: KeyRecord, b: KeyRecord) => (nameOf(a) < nameOf(b) ? -1 : 1);

  describe("scan", () => {
    test("a walk sees every record of every tenant and kind once, pending ones too, and no tombstone", async () => {
      const tenants = [randomUUID(), randomUUID(), "t"];
      const records = tenants.flatMap((tenantId) => [
        sampleRecord({ tenantId }),
        fullRecord({ tenantId, version: 1 }),
        sampleRecord({ tenantId, keyId: "key/with a slash 🔑" }),
      ]);
      const gone = tenants.map((tenantId) => sampleRecord({ tenantId }));
      await store().insertMany([...records, ...gone]);
      for (const id of gone) await store().delete(id, 1);
      for (const limit of [1, 2, 7, MOST_SLICES]) {
        const found = ofTenants(await walk(limit), tenants);
        expect(found.sort(byName)).toEqual([...records].sort(byName));
      }
    });

    test("the order is the same each time", async () => {
      await store().insertMany(Array.from({ length: 20 }, () => sampleRecord()));
      const names = async (limit: number) => (await walk(limit)).map(nameOf);
      expect(await names(3)).toEqual(await names(MOST_SLICES));
    });

    test("what is there during the whole walk is seen once, whatever changes meanwhile", async () => {
      const tenantId = randomUUID();
      const records = Array.from({ length: 30 }, () => sampleRecord({ tenantId }));
      const passing = Array.from({ length: 30 }, () => sampleRecord({ tenantId }));
      await store().insertMany([...records, ...passing]);
      const found = await walk(5, async (slice) => {
        const [changed, deleted] = [records[slice % records.length], passing[slice % passing.length]];
        if (changed !== undefined) {
          const { version = 0 } = (await store().read(changed)) ?? {};
          await store().compareAndSet(changed, version, { listed: { status: "revoked" }, name: `slice ${slice}` });
        }
        if (deleted !== undefined) await store().delete(deleted, 1);
        await store().insert(sampleRecord({ tenantId }));
      });
      const seen = found.map(nameOf);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(records.map(nameOf)));
    });

    test("reads what is there now", async () => {
      const record = sampleRecord();
      await store().insert(record);
      await store().compareAndSet(record, 1, { name: "changed" });
      const found = (await walk(10)).filter(({ keyId }) => keyId === record.keyId);
      expect(found).toEqual([{ ...record, name: "changed", version: 2 }]);
    });
  });
}
