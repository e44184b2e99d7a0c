/**
 * How a cache learns of changes. A feed tells it what has changed, and up to when it would have heard of every change; what the
 * cache makes of that is in `cached-reads.ts` and `record-cache.ts`. There is one feed, by polling
 * (`store/mongo/polling-feed.ts`); one that is pushed to would tell the same.
 */
import type { Moment } from "./process-clock.js";

/** A record as a change left it; a deleted one has a version too. */
export interface Change {
  /** What names the record in the cache. */
  readonly name: string;
  readonly version: number;
  /** By the server's clock, in milliseconds since 1970; absent where the record was never changed. */
  readonly changedAtMs: number | undefined;
}

/** What a feed tells. */
export interface ChangeListener {
  /** These records are, or were not long ago, as is said here. Whatever differs from that is out of date. */
  evictChanged(changes: readonly Change[]): void;

  /** Every change that could be read at `moment` has been told: what is still in the cache was true then. */
  confirm(moment: Moment): void;

  /** Changes may have been missed: nothing in the cache, and no read under way, is to be relied on. */
  dropAll(): void;
}

export interface ChangeFeed {
  /** Waits for what is under way, and tells nothing any more. */
  stop(): Promise<void>;
}
