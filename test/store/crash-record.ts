import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { sampleRecord } from "./sample-record.js";

/** Where the keys of the crash tests are. */
export const TENANT = "00000000-0000-0000-0000-000000000000";
export const ACTOR = "crash-test";

/** Keys that one process lets live at a time. */
export const LIVES_AT_ONCE = 8;

const BATCH_RECORDS = 50;

/** The records of one `insertMany`, each in every index table. */
export function batchOf(prefix: string, index: number): KeyRecord[] {
  return Array.from({ length: BATCH_RECORDS }, (_, position) => ({
    ...crashRecord(`${prefix}-${index}-${position}`),
    sealedSecret: { box: new Uint8Array(100), expireTime: new Date(index) },
  }));
}

/** Fixed but for its id, so that another process knows what it must look like. */
export function crashRecord(keyId: string): KeyRecord {
  return sampleRecord({
    tenantId: TENANT,
    keyId,
    actorId: ACTOR,
    deriveSeed: new Uint8Array(32),
    listed: { status: "active", until: new Date(1000) },
    pending: { predecessor: "none", version: 1 },
  });
}

const LATER = {
  name: "renamed",
  metadata: { text: "x".repeat(500) },
  listed: { status: "expired", since: new Date(1000) },
} as const;

/** The life of a key, one acknowledged write after the other; the nth leaves version n. */
export const LIFE: readonly ((store: KeyStore, record: KeyRecord) => Promise<unknown>)[] = [
  (store, record) => store.insert(record),
  (store, record) => store.compareAndSet(record, 1, { pending: null }),
  (store, record) => store.compareAndSet(record, 2, LATER),
  (store, record) => store.delete(record, 3),
  (store, record) => store.insert(record),
];

/** What the record is after so many writes of its life; `undefined`: it is not there. */
export function stateAfter(keyId: string, writes: number): KeyRecord | undefined {
  const inserted = { ...crashRecord(keyId), version: 1 };
  const { pending: _removed, ...settled } = inserted;
  const states: (KeyRecord | undefined)[] = [
    undefined,
    inserted,
    { ...settled, version: 2 },
    { ...settled, ...LATER, version: 3 },
    undefined,
    { ...inserted, version: 5 },
  ];
  return states[writes];
}
