/**
 * Each operation of the MongoDB store x each fault on the wire. Whatever happens to one command, the operation is done once and
 * says so, or says UNAVAILABLE and was done once or not at all: which one, the server behind the proxy tells.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Collection, type Document, MongoClient } from "mongodb";
import { KEY_FIELDS } from "../../src/domain/key-fields.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { eventually } from "../e2e/eventually.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { type Fate, type FaultProxy, refusal, startFaultProxy } from "./mongo-fault-proxy.js";
import { fullRecord, sampleRecord } from "./sample-record.js";

/** More than all tries take. */
const PATIENT_MS = 10_000;
/** Of which half is waited for an answer. */
const MIDDLING_MS = 2000;
/** For faults that are over only when the time is. */
const HASTY_MS = 600;
/** What a busy test machine adds. */
const SLACK_MS = 2000;

const UNAVAILABLE = {
  reason: "UNAVAILABLE",
  message: expect.stringMatching(/^the key store (cannot be reached|did not answer in time)$/),
};

type State = Document | null;

interface Operation {
  readonly name: string;
  /** The command that meets the fault. */
  readonly command: string;
  /** What is there before. */
  readonly prepare?: (store: KeyStore, record: KeyRecord) => Promise<unknown>;
  readonly run: (store: KeyStore, record: KeyRecord) => Promise<unknown>;
  /** What it answers. */
  readonly answer: (record: KeyRecord) => unknown;
  /** Of writes: what the server has when it was not done, and when it was done once. */
  readonly before?: State;
  readonly after?: State;
  /** It cannot be told whether it was done, and a second try would not help. */
  readonly isNotTriedAgain?: true;
}

const insert = (store: KeyStore, record: KeyRecord) => store.insert(record);
const bury = async (store: KeyStore, record: KeyRecord) => {
  await store.insert(record);
  await store.delete(record, 1);
};
const make = (fields: Partial<KeyRecord>) => (store: KeyStore, record: KeyRecord) =>
  store.insert({ ...record, ...fields });
const inserted = (version: number) => (record: KeyRecord) => ({ outcome: "inserted", record: { ...record, version } });

const LATE = new Date("2100-01-01");
const HOUR_MS = 3_600_000;
const CLAIM = new Uint8Array([1, 2, 3]);
const pending = { predecessor: "none", version: 1 };
const sealedSecret = { box: new Uint8Array([1]), expireTime: new Date("2026-01-02") };

const due = { status: "active", until: new Date("2026-01-02") } as const;
const ahead = { status: "expired", since: new Date("2099-12-31") } as const;

const RESTORED_VERSION = 7;
const restore = (store: KeyStore, record: KeyRecord) => store.restoreMany([{ ...record, version: RESTORED_VERSION }]);
const restored = {
  command: "update",
  run: restore,
  answer: () => ["restored"],
  after: { version: RESTORED_VERSION },
} as const;

const WRITES: readonly Operation[] = [
  { name: "insert", command: "insert", run: insert, answer: inserted(1), before: null, after: { version: 1 } },
  {
    name: "insert over a tombstone",
    command: "findAndModify",
    prepare: bury,
    run: insert,
    answer: inserted(3),
    before: { version: 2, deleted: true },
    after: { version: 3 },
  },
  {
    name: "insertMany",
    command: "insert",
    run: (store, record) => store.insertMany([record, record]),
    answer: (record) => [inserted(1)(record), { outcome: "exists" }],
    before: null,
    after: { version: 1 },
  },
  {
    name: "compareAndSet",
    command: "findAndModify",
    prepare: insert,
    run: (store, record) => store.compareAndSet(record, 1, { name: "changed" }),
    answer: (record) => ({ ...record, name: "changed", version: 2 }),
    before: { version: 1 },
    after: { version: 2 },
  },
  {
    name: "delete",
    command: "findAndModify",
    prepare: insert,
    run: (store, record) => store.delete(record, 1),
    answer: () => true,
    before: { version: 1 },
    after: { version: 2, deleted: true },
  },
  {
    // Done once or twice, it is the same; when it fails, its caller writes it again with the next uses.
    name: "recordUses",
    command: "update",
    prepare: insert,
    run: (store, record) => store.recordUses([{ ...record, time: LATE }]),
    answer: () => undefined,
    before: { version: 1 },
    after: { version: 1 },
    isNotTriedAgain: true,
  },
  {
    name: "removeTombstones",
    command: "delete",
    prepare: bury,
    run: (store) => store.removeTombstones(LATE, 1000),
    answer: () => 1,
    before: { version: 2, deleted: true },
    after: null,
    isNotTriedAgain: true,
  },
  { ...restored, name: "restoreMany", before: null },
  { ...restored, name: "restoreMany over an older version", prepare: insert, before: { version: 1 } },
  {
    ...restored,
    name: "restoreMany over a tombstone",
    prepare: bury,
    before: { version: 2, deleted: true },
  },
  {
    name: "acquireLease",
    command: "update",
    run: (store, record) => store.acquireLease(record.keyId, "mine", HOUR_MS),
    answer: () => true,
    before: null,
    after: { holder: "mine" },
  },
  {
    name: "claim",
    command: "insert",
    run: (store, record) => store.claim(record.keyId, CLAIM),
    answer: () => CLAIM,
    before: null,
    after: { value: "AQID" },
  },
];

const listQuery = ({ tenantId, kind }: KeyRecord) => ({ tenantId, kind, limit: 10 });

const READS: readonly Operation[] = [
  {
    name: "read",
    command: "find",
    prepare: insert,
    run: (store, record) => store.read(record),
    answer: (record) => record,
  },
  {
    name: "readMany",
    command: "find",
    prepare: insert,
    run: (store, { tenantId, keyId }) => store.readMany(tenantId, ["unknown", keyId]),
    answer: (record) => [undefined, record],
  },
  {
    name: "list",
    command: "find",
    prepare: insert,
    run: (store, record) => store.list(listQuery(record)),
    answer: (record) => ({ records: [record], scanned: 1 }),
  },
  {
    name: "list with a filter",
    command: "find",
    prepare: insert,
    run: (store, record) => store.list({ ...listQuery(record), filter: checkFilter('name="deploy*"', KEY_FIELDS) }),
    answer: (record) => ({ records: [record], scanned: 10 }),
  },
  {
    name: "listDue",
    command: "find",
    prepare: make({ listed: due }),
    run: (store) => store.listDue(LATE, 10),
    answer: (record) => [{ ...record, listed: due }],
  },
  {
    name: "listAhead",
    command: "find",
    prepare: make({ listed: ahead }),
    run: (store) => store.listAhead(new Date("2099-01-01"), 10),
    answer: (record) => [{ ...record, listed: ahead }],
  },
  {
    name: "readForVerification",
    command: "find",
    prepare: insert,
    run: (store, record) => store.readForVerification(record),
    answer: (record) => record,
  },
  {
    name: "readManyForVerification",
    command: "find",
    prepare: insert,
    run: (store, { tenantId, keyId }) => store.readManyForVerification(tenantId, ["unknown", keyId]),
    answer: (record) => [undefined, record],
  },
  {
    name: "listPending",
    command: "find",
    prepare: make({ pending }),
    run: (store) => store.listPending(LATE, 10),
    answer: (record) => [{ ...record, pending }],
  },
  {
    name: "listSealed",
    command: "find",
    prepare: make({ sealedSecret }),
    run: (store) => store.listSealed(LATE, 10),
    answer: (record) => [{ ...record, sealedSecret }],
  },
  {
    name: "removeTombstones, looking for them",
    command: "find",
    prepare: bury,
    run: (store) => store.removeTombstones(LATE, 1000),
    answer: () => 1,
  },
  {
    name: "claim of another",
    command: "find",
    prepare: (store, record) => store.claim(record.keyId, CLAIM),
    run: (store, record) => store.claim(record.keyId, new Uint8Array([4])),
    answer: () => CLAIM,
  },
  {
    name: "scan",
    command: "find",
    prepare: insert,
    run: (store) => store.scan(undefined, 10),
    answer: (record) => ({ records: [record] }),
  },
  {
    name: "scan that goes on",
    command: "find",
    prepare: insert,
    run: (store) => store.scan(undefined, 1),
    answer: (record) => ({ records: [record], end: { tenantId: record.tenantId, keyId: record.keyId } }),
  },
  { name: "restoreMany, reading back", command: "find", run: restore, answer: () => ["restored"] },
  { name: "ping", command: "find", run: (store) => store.ping(), answer: () => undefined },
];

const REFUSED: readonly [string, Fate][] = [
  ["lost on the way", "lost on the way"],
  ["no primary any more", refusal(10107, "NotWritablePrimary")],
  ["primary stepping down", refusal(189, "PrimarySteppedDown")],
  ["host behind a router unreachable", refusal(6, "HostUnreachable")],
];

const UNHEARD: readonly [string, Fate][] = [
  ["reply lost", "reply lost"],
  ["reply cut off", "reply cut off"],
];

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `MongoDB store and faults on the wire${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    let proxy: FaultProxy;
    let [patient, middling, hasty]: KeyStore[] = [];
    let server: MongoClient;

    beforeAll(async () => {
      const uri = mongo?.uri ?? "";
      proxy = await startFaultProxy(uri);
      patient = await openMongoStore({ uri: proxy.uri, timeoutMs: PATIENT_MS });
      middling = await openMongoStore({ uri: proxy.uri, timeoutMs: MIDDLING_MS });
      hasty = await openMongoStore({ uri: proxy.uri, timeoutMs: HASTY_MS });
      server = new MongoClient(uri);
    });

    afterEach(() => {
      // Each fault happened: no test passes without.
      expect(proxy.left).toBe(0);
    });

    afterAll(async () => {
      await patient?.close();
      await middling?.close();
      await hasty?.close();
      await proxy?.close();
      await server?.close();
      await mongo?.dispose();
    });

    const collection = (name: string): Collection<Document & { _id: string }> => server.db().collection(name);

    async function prepare(operation: Operation): Promise<KeyRecord> {
      await collection("keys").deleteMany({});
      const { pending: _pending, sealedSecret: _sealed, ...fields } = fullRecord({ version: 1 });
      const record = operation.name.startsWith("list") ? sampleRecord() : fields;
      await operation.prepare?.(patient as KeyStore, record);
      return record;
    }

    /** What the server has of a key, a lease or a claim. */
    async function stateOf({ tenantId, keyId }: KeyRecord): Promise<State> {
      const key = await collection("keys").findOne(
        { _id: `${tenantId}/${keyId}` },
        { projection: { _id: 0, version: 1, deleted: 1 } },
      );
      const lease = await collection("leases").findOne({ _id: keyId }, { projection: { _id: 0, holder: 1 } });
      const claim = await collection("claims").findOne({ _id: keyId }, { projection: { _id: 0, value: 1 } });
      return key ?? lease ?? (claim && { value: claim.value.toString("base64") });
    }

    describe.each(WRITES)("$name", (operation) => {
      const { command, run, answer, before = null, after = null, isNotTriedAgain } = operation;

      /** Done once, and says so; but what is not tried again says UNAVAILABLE, and has been done or not. */
      async function expectDone(running: Promise<unknown>, record: KeyRecord, isFirstTryDone: boolean): Promise<void> {
        if (isNotTriedAgain) await expect(running).rejects.toMatchObject(UNAVAILABLE);
        else expect(await running).toEqual(answer(record));
        expect(await stateOf(record)).toEqual(isNotTriedAgain && !isFirstTryDone ? before : after);
      }

      test.each(REFUSED)("%s", async (_fault, fate) => {
        const record = await prepare(operation);
        proxy.meet(command, fate);
        await expectDone(run(patient as KeyStore, record), record, false);
      });

      test.each(UNHEARD)("%s", async (_fault, fate) => {
        const record = await prepare(operation);
        proxy.meet(command, fate);
        await expectDone(run(patient as KeyStore, record), record, true);
      });

      test("never answered", async () => {
        const record = await prepare(operation);
        proxy.meet(command, "never answered");
        await expectDone(run(middling as KeyStore, record), record, true);
      });

      test("delayed", async () => {
        const record = await prepare(operation);
        const { fate, release } = hold();
        proxy.meet(command, fate);
        const running = run(patient as KeyStore, record);
        await proxy.allMet();
        expect(await stateOf(record)).toEqual(before);
        release();
        expect(await running).toEqual(answer(record));
        expect(await stateOf(record)).toEqual(after);
      });

      test("swallowed, and arriving after another try", async () => {
        const record = await prepare(operation);
        const { fate, release } = hold();
        proxy.meet(command, fate);
        await expectDone(run(middling as KeyStore, record), record, false);
        release();
        await eventually("the late write", () => proxy.isQuiet || undefined);
        expect(await stateOf(record)).toEqual(after);
      });

      test("swallowed each time", async () => {
        const record = await prepare(operation);
        const stop = proxy.meetAlways(({ name }) => name === command, "swallowed");
        await expect(timed(run(hasty as KeyStore, record))).rejects.toMatchObject(UNAVAILABLE);
        stop();
        expect(await stateOf(record)).toEqual(before);
      });

      test("arriving, each try of it, after its caller has gone", async () => {
        const record = await prepare(operation);
        const { fate, release } = hold();
        const stop = proxy.meetAlways(({ name }) => name === command, fate);
        await expect(timed(run(hasty as KeyStore, record))).rejects.toMatchObject(UNAVAILABLE);
        stop();
        expect(await stateOf(record)).toEqual(before);
        release();
        await eventually("the late writes", () => proxy.isQuiet || undefined);
        expect(await stateOf(record)).toEqual(after);
      });
    });

    describe.each(READS)("$name", (operation) => {
      const { command, run, answer } = operation;

      test.each([...REFUSED, ...UNHEARD])("%s", async (_fault, fate) => {
        const record = await prepare(operation);
        proxy.meet(command, fate);
        expect(await run(patient as KeyStore, record)).toEqual(answer(record));
      });

      test("swallowed", async () => {
        const record = await prepare(operation);
        proxy.meet(command, "swallowed");
        expect(await run(middling as KeyStore, record)).toEqual(answer(record));
      });

      test("swallowed each time", async () => {
        const record = await prepare(operation);
        const stop = proxy.meetAlways(({ name }) => name === command, "swallowed");
        await expect(timed(run(hasty as KeyStore, record))).rejects.toMatchObject(UNAVAILABLE);
        stop();
        // And the next one finds a connection that works.
        expect(await run(hasty as KeyStore, record)).toEqual(answer(record));
      });
    });
  },
);

function hold(): { fate: Fate; release: () => void } {
  let release = () => {};
  const heldUntil = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { fate: { heldUntil }, release };
}

/** Ends in time. */
async function timed<T>(running: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await running;
  } finally {
    expect(performance.now() - start).toBeLessThan(HASTY_MS + SLACK_MS);
  }
}
