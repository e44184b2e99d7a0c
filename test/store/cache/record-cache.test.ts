import { beforeEach, describe, expect, test } from "@jest/globals";
import { recordBytes } from "../../../src/store/cache/record-bytes.js";
import { RecordCache } from "../../../src/store/cache/record-cache.js";
import type { KeyRecord } from "../../../src/store/key-store.js";
import { fullRecord, sampleRecord } from "../sample-record.js";

const TTL_MS = 60_000;
const MAX_STALENESS_MS = 5_000;
const START_MS = Date.UTC(2026, 0, 1);

let nowMs: number;
let cache: RecordCache;
beforeEach(() => {
  nowMs = START_MS;
  cache = createCache(2 ** 20);
});

function createCache(maxBytes: number): RecordCache {
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  return new RecordCache({ ttlMs: TTL_MS, maxStalenessMs: MAX_STALENESS_MS, maxBytes, clock });
}

function now() {
  return { monotonicMs: nowMs, wallMs: nowMs };
}

function set(name: string, record: KeyRecord, changedAtMs?: number): void {
  cache.set(name, { record, changedAtMs }, now());
}

describe("an entry", () => {
  const record = sampleRecord();

  test("is used until cache.max_staleness after it was read or confirmed, and not a moment longer", () => {
    set("a", record);
    nowMs += MAX_STALENESS_MS;
    expect(cache.get("a")).toBe(record);
    cache.confirm(now());
    nowMs += MAX_STALENESS_MS;
    expect(cache.get("a")).toBe(record);
    nowMs += 1;
    expect(cache.get("a")).toBeUndefined();
    cache.confirm(now());
    expect(cache.get("a")).toBeUndefined();
  });

  test("is not used from cache.ttl after it was read on, whatever confirms it", () => {
    set("a", record);
    nowMs += TTL_MS - 1;
    cache.confirm(now());
    expect(cache.get("a")).toBe(record);
    nowMs += 1;
    cache.confirm(now());
    expect(cache.get("a")).toBeUndefined();
  });

  test("is not used from the key's expiry on", () => {
    const expiring = sampleRecord({ expireTime: new Date(START_MS + 10) });
    set("a", expiring);
    nowMs += 9;
    expect(cache.get("a")).toBe(expiring);
    nowMs += 1;
    expect(cache.get("a")).toBeUndefined();
    set("a", expiring);
    expect(cache.get("a")).toBeUndefined();
  });

  test("is none of a pending key, which takes the place of what was there", () => {
    set("a", record);
    set("a", sampleRecord({ pending: { predecessor: "p", version: 1 } }));
    expect(cache.get("a")).toBeUndefined();
  });

  test.each([
    ["the same change", 7, 1_000, true],
    ["another version", 8, 1_000, false],
    ["an earlier version", 6, 1_000, false],
    ["another time", 7, 1_001, false],
    ["no time", 7, undefined, false],
  ])("after %s", (_what, version, changedAtMs, isKept) => {
    const changed = sampleRecord({ version: 7 });
    set("a", changed, 1_000);
    set("b", changed, 1_000);
    cache.evictUnless({ name: "a", version, changedAtMs });
    expect(cache.get("a")).toBe(isKept ? changed : undefined);
    expect(cache.get("b")).toBe(changed);
  });

  test("goes when a later version was seen", () => {
    set("a", sampleRecord({ version: 7 }));
    cache.evictOlder("a", 7);
    expect(cache.get("a")?.version).toBe(7);
    cache.evictOlder("a", 8);
    expect(cache.get("a")).toBeUndefined();
  });

  test("goes when it is evicted, or all are dropped", () => {
    for (const name of ["a", "b", "c"]) set(name, record);
    cache.evict("a");
    expect(["a", "b"].map((name) => cache.get(name))).toEqual([undefined, record]);
    cache.clear();
    expect(["b", "c"].map((name) => cache.get(name))).toEqual([undefined, undefined]);
  });
});

describe("the bound of bytes", () => {
  test("holds: the least recently used go", () => {
    const record = sampleRecord();
    cache = createCache(3 * recordBytes(record));
    for (const name of ["a", "b", "c"]) set(name, record);
    cache.get("a");
    set("d", record);
    expect(["a", "b", "c", "d"].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true, true]);
  });

  test("keeps out what is larger, and what it would replace", () => {
    const small = sampleRecord();
    const large = sampleRecord({ metadata: { text: "x".repeat(4_000) } });
    cache = createCache(2 * recordBytes(small));
    set("a", small);
    set("a", large);
    expect(cache.get("a")).toBeUndefined();
  });

  test("counts every text, list, object and byte", () => {
    const bytes = recordBytes(sampleRecord());
    expect(recordBytes(sampleRecord({ name: "deploy bot!" }))).toBeGreaterThan(bytes);
    expect(recordBytes(sampleRecord({ scopes: ["a"] }))).toBeGreaterThan(bytes);
    expect(recordBytes(sampleRecord({ metadata: { a: { b: [1] } } }))).toBeGreaterThan(
      recordBytes(sampleRecord({ metadata: { a: { b: [] } } })),
    );
    expect(recordBytes(sampleRecord({ secretHash: new Uint8Array(1_000) }))).toBeGreaterThan(bytes + 1_000);
    expect(recordBytes(fullRecord())).toBeLessThan(2 ** 16);
  });
});
