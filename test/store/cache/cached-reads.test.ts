import { beforeEach, describe, expect, test } from "@jest/globals";
import { CachedReads } from "../../../src/store/cache/cached-reads.js";
import type { ReadRecord } from "../../../src/store/cache/record-cache.js";
import type { Freshness } from "../../../src/store/key-store.js";
import { sampleRecord } from "../sample-record.js";

const MAX_STALENESS_MS = 5_000;
const RECORD = sampleRecord();

/** A read that was sent, in the order of sending. */
interface Sent {
  /** Answers with the record at that version; `undefined`: there is none. */
  answer(version: number | undefined): Promise<void>;
  fail(error: Error): Promise<void>;
}

let nowMs: number;
let sent: Sent[];
let cached: CachedReads;
beforeEach(() => {
  nowMs = 0;
  sent = [];
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const fetch = () =>
    new Promise<ReadRecord | undefined>((resolve, reject) => {
      sent.push({
        answer: (version) => {
          resolve(version === undefined ? undefined : { record: { ...RECORD, version }, changedAtMs: version });
          return settled();
        },
        fail: (error) => {
          reject(error);
          return settled();
        },
      });
    });
  cached = new CachedReads({ ttlMs: 60_000, maxStalenessMs: MAX_STALENESS_MS, maxBytes: 2 ** 20, clock }, fetch);
});

/** Until everything that can go on by itself has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sentAt(index: number): Sent {
  const one = sent[index];
  if (one === undefined) throw new Error(`nothing was sent as number ${index}`);
  return one;
}

/** The version that is answered. */
async function read(freshness: Freshness = "cached"): Promise<number | undefined> {
  return (await cached.read("a", freshness))?.version;
}

/** The version that is remembered. */
function known(): number | undefined {
  return cached.get("a")?.version;
}

describe("reads", () => {
  test("that want the same record at the same time are one, and it is remembered", async () => {
    const reads = [read(), read()];
    const other = cached.read("b", "cached");
    expect(sent.length).toBe(2);
    await sentAt(0).answer(1);
    expect(await Promise.all(reads)).toEqual([1, 1]);
    await sentAt(1).answer(undefined);
    expect(await other).toBeUndefined();
    expect(await read()).toBe(1);
    expect(sent.length).toBe(2);
  });

  test("fail together, and the next one is another", async () => {
    const reads = Promise.allSettled([read(), read()]);
    const error = new Error("gone");
    await sentAt(0).fail(error);
    expect(await reads).toEqual(Array(2).fill({ status: "rejected", reason: error }));
    const next = read();
    await sentAt(1).answer(1);
    expect(await next).toBe(1);
  });

  test("that found nothing are repeated for who joined them, and not remembered", async () => {
    const first = read();
    const joined = [read(), read()];
    await sentAt(0).answer(undefined);
    expect(await first).toBeUndefined();
    expect(sent.length).toBe(2);
    await sentAt(1).answer(1);
    expect(await Promise.all(joined)).toEqual([1, 1]);
  });

  test("that took too long are repeated for who joined them", async () => {
    const first = read();
    const joined = read();
    nowMs += MAX_STALENESS_MS + 1;
    await sentAt(0).answer(1);
    expect(await first).toBe(1);
    expect(sent.length).toBe(2);
    await sentAt(1).answer(2);
    expect(await joined).toBe(2);
  });

  test("count as old as they were when they were sent", async () => {
    const first = read();
    nowMs += MAX_STALENESS_MS;
    await sentAt(0).answer(1);
    await first;
    expect(known()).toBe(1);
    nowMs += 1;
    expect(known()).toBeUndefined();
  });
});

describe("a read under way", () => {
  const ends: Readonly<Record<string, () => void>> = {
    "an eviction": () => cached.evict("a"),
    "a change, be it the one that it will find": () => cached.evictChanged([{ name: "a", version: 1, changedAtMs: 1 }]),
    "a drop of everything": () => cached.dropAll(),
  };
  test.each(Object.entries(ends))("is not remembered after %s, nor joined", async (_what, end) => {
    const reads = [read(), read()];
    end();
    const later = read();
    expect(sent.length).toBe(2);
    await sentAt(0).answer(1);
    expect(await Promise.all(reads)).toEqual([1, 1]);
    expect(known()).toBeUndefined();
    await sentAt(1).answer(2);
    expect([await later, known()]).toEqual([2, 2]);
  });

  test("goes on when something else is evicted", async () => {
    const reads = [read()];
    cached.evict("b");
    cached.evictChanged([{ name: "c", version: 1, changedAtMs: 1 }]);
    reads.push(read());
    await sentAt(0).answer(1);
    expect([await Promise.all(reads), known(), sent.length]).toEqual([[1, 1], 1, 1]);
  });
});

describe("a fresh read", () => {
  test("is sent whatever is remembered, and takes its place", async () => {
    const first = read();
    await sentAt(0).answer(1);
    await first;
    const fresh = read("fresh");
    expect(await read()).toBe(1);
    await sentAt(1).answer(2);
    expect([await fresh, await read()]).toEqual([2, 2]);
    const gone = read("fresh");
    await sentAt(2).answer(undefined);
    expect([await gone, known()]).toEqual([undefined, undefined]);
  });

  test("joins none that was sent before, and those find nothing that is remembered", async () => {
    const first = read();
    const fresh = read("fresh");
    const joined = read();
    expect(sent.length).toBe(2);
    await sentAt(1).answer(2);
    expect([await fresh, await joined, known()]).toEqual([2, 2, 2]);
    await sentAt(0).answer(1);
    expect(await first).toBe(1);
    expect(known()).not.toBe(1);
  });

  test("that is ended by a change leaves nothing behind that differs from what it found", async () => {
    const first = read();
    await sentAt(0).answer(1);
    await first;
    const fresh = read("fresh");
    cached.evictChanged([{ name: "a", version: 1, changedAtMs: 1 }]);
    expect(known()).toBe(1);
    await sentAt(1).answer(2);
    expect([await fresh, known()]).toEqual([2, undefined]);
  });

  test("that is ended ends one that was sent later, for that may find what was before", async () => {
    const fresh = read("fresh");
    cached.evict("a");
    const later = read();
    await sentAt(0).answer(2);
    expect(await fresh).toBe(2);
    const last = read();
    await sentAt(1).answer(1);
    expect([await later, known()]).toEqual([1, undefined]);
    await sentAt(2).answer(2);
    expect(await last).toBe(2);
  });
});

describe("a read that is not to be remembered", () => {
  test("is sent, and leaves what is remembered, if it is the same", async () => {
    const first = read();
    await sentAt(0).answer(1);
    await first;
    const unstored = read("unstored");
    await sentAt(1).answer(1);
    expect([await unstored, known()]).toEqual([1, 1]);
  });

  test.each([2, undefined])("evicts what is not, when it finds %s", async (version) => {
    const first = read();
    await sentAt(0).answer(1);
    await first;
    const unstored = read("unstored");
    await sentAt(1).answer(version);
    expect([await unstored, known()]).toEqual([version, undefined]);
  });

  test("ends those that were sent before, and is joined by none", async () => {
    const first = read();
    const unstored = read("unstored");
    const later = read();
    expect(sent.length).toBe(3);
    await sentAt(0).answer(1);
    expect([await first, known()]).toEqual([1, undefined]);
    await sentAt(2).answer(2);
    await sentAt(1).answer(2);
    expect([await later, await unstored, known()]).toEqual([2, 2, 2]);
  });
});
