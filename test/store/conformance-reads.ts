import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { fullRecord, nastyMetadata, sampleRecord } from "./sample-record.js";

export function describeReads(store: () => KeyStore): void {
  describe("read", () => {
    const cases: Readonly<Record<string, KeyRecord>> = {
      "every field": fullRecord({ version: 1 }),
      "required fields only": sampleRecord(),
      "empty lists and objects": sampleRecord({ scopes: [], allowedCidrs: [], metadata: {} }),
      "the limits": sampleRecord({
        name: "🔑".repeat(255),
        actorId: "\u{10FFFF}".repeat(255),
        scopes: Array.from({ length: 128 }, (_, index) => `${index}`.padEnd(255, "x")),
        metadata: { text: "x".repeat(4000) },
        createTime: new Date(0),
        expireTime: new Date(8.64e15),
      }),
      "a time before 1970": sampleRecord({ createTime: new Date("1901-02-03T04:05:06.789Z") }),
      "a quota of 1": sampleRecord({ rateLimitPolicy: { quota: 1n, windowMs: 1, unit: "concurrent-requests" } }),
      "bytes of every value": sampleRecord({
        idempotency: { requestIdHash: allBytes(), fingerprint: allBytes().reverse() },
        sealedSecret: { box: allBytes(), expireTime: new Date(-1) },
      }),
      "an empty box": sampleRecord({ sealedSecret: { box: new Uint8Array(), expireTime: new Date(0) } }),
      "a revocation without more": sampleRecord({ revocation: { reason: "superseded" } }),
    };
    test.each(Object.entries(cases))("gives back exactly what was written: %s", async (_name, record) => {
      await store().insert(record);
      const read = await store().read(record);
      expect(read).toEqual(record);
      expect(Object.keys(read ?? {}).sort()).toEqual(Object.keys(record).sort());
      const { requestIdHash, fingerprint } = read?.idempotency ?? {};
      for (const bytes of [read?.deriveSeed, requestIdHash, fingerprint, read?.sealedSecret?.box]) {
        expect(bytes?.constructor ?? Uint8Array).toBe(Uint8Array);
      }
    });

    test("gives back the bytes of a view, and not what is around them", async () => {
      const view = allBytes().subarray(7, 39);
      const record = sampleRecord({
        deriveSeed: view,
        idempotency: { requestIdHash: view, fingerprint: view },
        sealedSecret: { box: view, expireTime: new Date(0) },
      });
      await store().insert(record);
      expect(await store().read(record)).toEqual(record);
    });

    test("gives back metadata to the letter, and pollutes nothing", async () => {
      const metadata = nastyMetadata();
      const record = sampleRecord({ metadata });
      await store().insert(record);
      const read = (await store().read(record))?.metadata ?? {};
      expect(JSON.stringify(read)).toBe(JSON.stringify(metadata));
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    test("keeps nothing of what it was given", async () => {
      const list = [1];
      const record = sampleRecord({ metadata: { list } });
      const inserted = await store().insert(record);
      list.push(2);
      expect((await store().read(record))?.metadata).toEqual({ list: [1] });
      if (inserted.outcome === "inserted") expect(inserted.record.metadata).toEqual({ list: [1] });
    });

    test("keeps tenants apart", async () => {
      const record = sampleRecord();
      const twin = sampleRecord({ keyId: record.keyId, name: "twin" });
      await store().insert(record);
      expect(await store().read(twin)).toBeUndefined();
      await store().insert(twin);
      expect((await store().read(record))?.name).toBe(record.name);
      expect((await store().read(twin))?.name).toBe("twin");
      await store().delete(twin, 1);
      expect(await store().read(record)).toEqual(record);
    });

    test("finds nothing under any id that was not stored", async () => {
      const record = sampleRecord();
      await store().insert(record);
      const { tenantId, keyId } = record;
      const strangeIds = [
        "",
        "/",
        keyId.slice(0, -1),
        `${keyId}x`,
        `${keyId}\0`,
        `../${keyId}`,
        "$ne",
        "__proto__",
        "\0",
      ];
      const longIds = ["x".repeat(255), "x".repeat(256), "🔑".repeat(5000), "\ud800", "%00"];
      for (const strange of [...strangeIds, ...longIds]) {
        expect(await store().read({ tenantId, keyId: strange })).toBeUndefined();
        expect(await store().compareAndSet({ tenantId, keyId: strange }, 1, { name: "x" })).toBeUndefined();
        expect(await store().delete({ tenantId, keyId: strange }, 1)).toBe(false);
      }
      expect(await store().read({ tenantId: "", keyId })).toBeUndefined();
      expect(await store().read(record)).toEqual(record);
    });

    test("sees every write that was acknowledged before", async () => {
      const record = sampleRecord();
      await store().insert(record);
      for (let version = 1; version <= 50; version += 1) {
        await store().compareAndSet(record, version, { name: `name ${version}` });
        expect((await store().read(record))?.name).toBe(`name ${version}`);
      }
    });
  });

  describe("readMany", () => {
    test("answers in the order asked, with undefined for what is not there", async () => {
      const tenantId = randomUUID();
      const records = [sampleRecord({ tenantId }), fullRecord({ tenantId }), sampleRecord({ tenantId })];
      const foreign = sampleRecord();
      const deleted = sampleRecord({ tenantId });
      for (const record of [...records, foreign, deleted]) await store().insert(record);
      await store().delete(deleted, 1);
      const [a, b, c] = records as [KeyRecord, KeyRecord, KeyRecord];
      const asked = [c.keyId, "unknown", a.keyId, deleted.keyId, c.keyId, foreign.keyId, b.keyId, "\0"];
      const expected = [c, undefined, a, undefined, c, undefined, b, undefined].map(
        (record) => record && { ...record, version: 1 },
      );
      expect(await store().readMany(tenantId, asked)).toEqual(expected);
      expect(await store().readMany(tenantId, [])).toEqual([]);
    });

    test("reads a thousand at once", async () => {
      const tenantId = randomUUID();
      const records = Array.from({ length: 1000 }, () =>
        sampleRecord({ tenantId, keyId: randomBytes(32).toString("hex") }),
      );
      await Promise.all(records.map((record) => store().insert(record)));
      const keyIds = records.map((record) => record.keyId);
      expect(await store().readMany(tenantId, keyIds)).toEqual(records);
    });
  });
}

function allBytes(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, index) => index);
}
