import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { KEY_STATUSES } from "../../src/domain/key-status.js";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import type { KeyRecord, KeyStore } from "../../src/store/key-store.js";
import { ACTOR, batchOf, crashRecord, LIFE, LIVES_AT_ONCE, stateAfter, TENANT } from "./crash-record.js";
import { type StoreProcess, startStoreProcess } from "./store-process.js";

const ROUNDS = 8;
const SEED = 20260102;
const MAX_LIFE_MS = 600;
const MAX_BATCHES_MS = 300;
const MANY = 1_000_000;
const LATEST = new Date(8.64e15);
const TIMEOUT_MS = 60_000;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-crash-"));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("embedded store and kill -9", () => {
  test(
    `loses nothing acknowledged and leaves nothing half written (${ROUNDS} kills, seed ${SEED})`,
    async () => {
      const random = seededRandom(SEED);
      const acknowledged: Acknowledged[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        acknowledged.push(...(await killOneProcess(`round${round}`, random() * MAX_LIFE_MS)));
        await checkStore(acknowledged);
      }
      // The kills came in the middle of the work, and at different steps of it.
      expect(acknowledged.length).toBeGreaterThan(ROUNDS * 20);
    },
    TIMEOUT_MS,
  );

  test(
    "leaves every batch of inserts as a whole or not at all, and all that were acknowledged",
    async () => {
      const random = seededRandom(SEED);
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const prefix = `batches${round}`;
        const batchStore = join(directory, prefix);
        const lines = await killProcess(["batch", batchStore, prefix], random() * MAX_BATCHES_MS);
        const count = lines.filter((line) => line.startsWith("ack ")).length;
        acknowledged += count;
        const store = await openEmbeddedStore({ directory: batchStore });
        const stored: KeyRecord[] = [];
        // The one after the last that was acknowledged may be there too.
        for (let index = 0; index <= count; index += 1) {
          const batch = batchOf(prefix, index);
          const found = await store.readMany(
            TENANT,
            batch.map((record) => record.keyId),
          );
          const isThere = index < count || found[0] !== undefined;
          expect(found).toEqual(batch.map((record) => (isThere ? record : undefined)));
          if (isThere) stored.push(...batch);
        }
        await checkIndexes(store, stored);
        await store.close();
      }
      expect(acknowledged).toBeGreaterThan(ROUNDS);
    },
    TIMEOUT_MS,
  );

  test("a process that holds the store open keeps working when another is killed", async () => {
    const store = await openEmbeddedStore({ directory });
    await killOneProcess("beside", 50);
    const record = crashRecord("after-the-kill");
    expect(await store.insert(record)).toMatchObject({ outcome: "inserted" });
    expect(await store.read(record)).toEqual(record);
    await store.close();
  });
});

describe("embedded store in several processes", () => {
  test(
    "two that write at once lose nothing, and a third sees each write as soon as it is acknowledged",
    async () => {
      const inserts = 300;
      const store = await openEmbeddedStore({ directory });
      await store.insert({ ...crashRecord("counter"), name: "0" });
      const unseen: string[] = [];
      const checks: Promise<void>[] = [];
      const onLine = (line: string) => {
        const [word, keyId = ""] = line.split(" ");
        if (word !== "inserted") return;
        checks.push(
          store.read({ tenantId: TENANT, keyId }).then((record) => {
            if (record === undefined) unseen.push(keyId);
          }),
        );
      };
      const processes = ["left", "right"].map((prefix) =>
        startStoreProcess(["count", directory, prefix, String(inserts)], { onLine }),
      );
      for (const { ended } of processes) expect(await ended).toEqual({ code: 0, signal: null });
      await Promise.all(checks);
      expect(unseen).toEqual([]);
      expect(checks).toHaveLength(2 * inserts);
      const counter = await store.read({ tenantId: TENANT, keyId: "counter" });
      expect(counter).toMatchObject({ name: String(2 * inserts), version: 2 * inserts + 1 });
      await store.close();
    },
    TIMEOUT_MS,
  );
});

describe("claims of the embedded store by several processes", () => {
  test(
    "are decided once: all get the same, the one that comes later too",
    async () => {
      const claims = 40;
      const prefixes = ["first", "second", "third"];
      const start = (prefix: string) => startStoreProcess(["claim", directory, prefix, String(claims)]);
      const processes = prefixes.map(start);
      for (const { ended } of processes) expect(await ended).toEqual({ code: 0, signal: null });
      const answers = processes.map(({ lines }) => lines.filter((line) => line.startsWith("claimed")));
      expect(answers[0]).toHaveLength(claims);
      for (const [index, line] of (answers[0] ?? []).entries()) {
        expect(prefixes.map((prefix) => `claimed ${index} ${prefix}-${index}`)).toContain(line);
      }
      expect(answers).toEqual(answers.map(() => answers[0]));
      const later = start("later");
      await later.ended;
      expect(later.lines).toEqual(processes[0]?.lines);
    },
    TIMEOUT_MS,
  );
});

/** So many writes of a key's life were acknowledged; `isLast`: there may be one more, and the next key's first. */
interface Acknowledged {
  readonly keyId: string;
  readonly writes: number;
  readonly isLast: boolean;
}

/** Answers what it printed until it was killed, `lifeMs` after it was ready. */
async function killProcess(options: readonly string[], lifeMs: number): Promise<readonly string[]> {
  const running: StoreProcess = startStoreProcess(options, {
    onLine(line) {
      if (line === "ready") setTimeout(() => running.child.kill("SIGKILL"), lifeMs);
    },
  });
  expect(await running.ended).toEqual({ code: null, signal: "SIGKILL" });
  return running.lines;
}

async function killOneProcess(prefix: string, lifeMs: number): Promise<Acknowledged[]> {
  // A key that lives in the first place may be there before anything of it was acknowledged.
  const newest = new Map(Array.from({ length: LIVES_AT_ONCE }, (_, caller) => [String(caller), 0]));
  const writes = new Map(Array.from(newest.keys(), (caller) => [`${prefix}-${caller}-0`, 0]));
  for (const line of await killProcess(["live", directory, prefix], lifeMs)) {
    const match = /^ack (\d+) (\d+) (\d+)$/.exec(line);
    if (match === null) continue;
    const [, caller = "", index = "", step = ""] = match;
    writes.set(`${prefix}-${caller}-${index}`, Number(step));
    newest.set(caller, Number(index));
  }
  for (const [caller, index] of newest) {
    const next = `${prefix}-${caller}-${index + 1}`;
    if (writes.get(`${prefix}-${caller}-${index}`) === LIFE.length) writes.set(next, 0);
  }
  return Array.from(writes, ([keyId, count]) => ({ keyId, writes: count, isLast: count < LIFE.length }));
}

async function checkStore(acknowledged: readonly Acknowledged[]): Promise<void> {
  const store = await openEmbeddedStore({ directory });
  const stored: KeyRecord[] = [];
  for (const { keyId, writes, isLast } of acknowledged) {
    const record = await store.read({ tenantId: TENANT, keyId });
    const possible = [stateAfter(keyId, writes), ...(isLast ? [stateAfter(keyId, writes + 1)] : [])];
    expect(possible).toContainEqual(record);
    if (record !== undefined) stored.push(record);
  }
  await checkIndexes(store, stored);
  await store.close();
}

/** Each index table names exactly the records that are there. */
async function checkIndexes(store: KeyStore, stored: readonly KeyRecord[]): Promise<void> {
  const byKeyId = (records: readonly KeyRecord[]) =>
    new Map([...records].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)).map((record) => [record.keyId, record]));
  const list = { tenantId: TENANT, kind: "issued", limit: MANY } as const;
  expect(byKeyId((await store.list(list)).records)).toEqual(byKeyId(stored));
  expect(byKeyId((await store.list({ ...list, actorId: ACTOR })).records)).toEqual(byKeyId(stored));
  for (const status of KEY_STATUSES) {
    const listed = stored.filter((record) => record.listed.status === status);
    expect(byKeyId((await store.list({ ...list, status })).records)).toEqual(byKeyId(listed));
    expect(byKeyId((await store.list({ ...list, status, actorId: ACTOR })).records)).toEqual(byKeyId(listed));
  }
  const due = stored.filter((record) => record.listed.until !== undefined);
  expect(byKeyId(await store.listDue(LATEST, MANY))).toEqual(byKeyId(due));
  const changed = stored.filter((record) => record.listed.since !== undefined);
  expect(byKeyId(await store.listAhead(new Date(0), MANY))).toEqual(byKeyId(changed));
  const pending = stored.filter((record) => record.pending !== undefined);
  expect(byKeyId(await store.listPending(new Date(), MANY))).toEqual(byKeyId(pending));
  const sealed = stored.filter((record) => record.sealedSecret !== undefined);
  expect(byKeyId(await store.listSealed(new Date(), MANY))).toEqual(byKeyId(sealed));
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
