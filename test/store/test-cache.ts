import type { CacheOptions } from "../../src/store/mongo/open-mongo-store.js";

/** A cache that keeps what it has for longer than any test takes: what goes from it was evicted. */
export const TEST_CACHE: CacheOptions = {
  ttlMs: 3_600_000,
  maxBytes: 2 ** 26,
  pollIntervalMs: 50,
  pollOverlapMs: 5_000,
  maxStalenessMs: 60_000,
};
