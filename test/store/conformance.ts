/** What `src/store/key-store.ts` promises, as tests that every store runs. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import type { KeyStore } from "../../src/store/key-store.js";
import { describeBulk } from "./conformance-bulk.js";
import { describeClaims } from "./conformance-claims.js";
import { describeLists } from "./conformance-lists.js";
import { describeReads } from "./conformance-reads.js";
import { describeRestores } from "./conformance-restores.js";
import { describeScans } from "./conformance-scans.js";
import { describeSweeping } from "./conformance-sweeping.js";
import { describeUses } from "./conformance-uses.js";
import { describeVerification } from "./conformance-verification.js";
import { describeWrites } from "./conformance-writes.js";
import { sampleRecord } from "./sample-record.js";

/** A store of its own for one run of the suite. */
export interface StoreFixture {
  /** Another handle on the same store. */
  open(): Promise<KeyStore>;
  dispose(): Promise<void>;
}

export function describeKeyStore(name: string, createFixture: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let store: KeyStore;

    beforeAll(async () => {
      fixture = await createFixture();
      store = await fixture.open();
    });

    afterAll(async () => {
      await store?.close();
      await fixture?.dispose();
    });

    describeWrites(() => store);
    describeBulk(() => store);
    describeReads(() => store);
    describeVerification(
      () => store,
      () => fixture,
    );
    describeLists(() => store);
    describeScans(() => store);
    describeRestores(() => store);
    describeSweeping(() => store);
    describeUses(() => store);
    describeClaims(
      () => store,
      () => fixture,
    );

    describe("handles", () => {
      test("two handles on one store see each other's writes at once", async () => {
        const other = await fixture.open();
        const id = sampleRecord();
        await store.insert(id);
        for (let version = 1; version <= 100; version += 1) {
          const [writer, reader] = version % 2 === 0 ? [store, other] : [other, store];
          await writer.compareAndSet(id, version, { name: `version ${version + 1}` });
          expect((await reader.read(id))?.name).toBe(`version ${version + 1}`);
        }
        await other.close();
        expect(await store.read(id)).toBeDefined();
      });

      test("what was written is there when the store is opened again", async () => {
        const first = await fixture.open();
        const record = sampleRecord();
        await first.insert(record);
        await first.close();
        const second = await fixture.open();
        expect(await second.read(record)).toEqual(record);
        await second.close();
      });

      test("close waits for the writes under way", async () => {
        const other = await fixture.open();
        const records = Array.from({ length: 20 }, () => sampleRecord());
        const writes = Promise.all(records.map((record) => other.insert(record)));
        await other.close();
        expect(await Promise.all(records.map((record) => store.read(record)))).toEqual(records);
        await writes;
      });

      test("after close every method is UNAVAILABLE, and closing again is fine", async () => {
        const closed = await fixture.open();
        await closed.close();
        await closed.close();
        const id = sampleRecord();
        const list = { tenantId: id.tenantId, kind: id.kind, limit: 1 };
        const calls: Readonly<Record<Exclude<keyof KeyStore, "close">, () => Promise<unknown>>> = {
          insert: () => closed.insert(id),
          insertMany: () => closed.insertMany([]),
          read: () => closed.read(id),
          readMany: () => closed.readMany(id.tenantId, [id.keyId]),
          readForVerification: () => closed.readForVerification(id),
          readManyForVerification: () => closed.readManyForVerification(id.tenantId, [id.keyId]),
          compareAndSet: () => closed.compareAndSet(id, 1, { name: "x" }),
          recordUses: () => closed.recordUses([{ ...id, time: new Date() }]),
          delete: () => closed.delete(id, 1),
          list: () => closed.list(list),
          listDue: () => closed.listDue(new Date(), 1),
          listAhead: () => closed.listAhead(new Date(), 1),
          listPending: () => closed.listPending(new Date(), 1),
          listSealed: () => closed.listSealed(new Date(), 1),
          scan: () => closed.scan(undefined, 1),
          restoreMany: () => closed.restoreMany([]),
          removeTombstones: () => closed.removeTombstones(new Date(), 1),
          acquireLease: () => closed.acquireLease(randomUUID(), "a", 1000),
          claim: () => closed.claim(randomUUID(), new Uint8Array(1)),
          ping: () => closed.ping(),
        };
        for (const call of Object.values(calls)) {
          const error = await call().catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(ServiceError);
          expect(error).toMatchObject({ reason: "UNAVAILABLE", message: "the key store is closed" });
        }
      });

      test("ping resolves while the store can be read", async () => {
        await expect(store.ping()).resolves.toBeUndefined();
      });
    });
  });
}
