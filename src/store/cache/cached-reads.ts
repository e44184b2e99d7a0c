import type { Freshness, KeyRecord } from "../key-store.js";
import type { Change, ChangeListener } from "./change-feed.js";
import { elapsedMs, type Moment, momentOf } from "./process-clock.js";
import { type ReadRecord, RecordCache, type RecordCacheOptions } from "./record-cache.js";

/** Reads one record from the store, at some time after the call. */
export type FetchRecord = (name: string) => Promise<ReadRecord | undefined>;

interface Read {
  /** Reads are counted in the order in which they are sent. */
  readonly number: number;
  readonly sentAt: Moment;
  readonly found: Promise<ReadRecord | undefined>;
  /** Somebody has seen this version meanwhile. */
  leastVersion: number;
}

/**
 * Answers from the cache, or by a read that others who want the same record join.
 *
 * Of each record at most one read is *current*: others may join it, and what it finds is remembered. An eviction ends that, for
 * the read may have been answered before the change: it goes on for those who wait for it already, and no more.
 */
export class CachedReads implements ChangeListener {
  readonly #options: RecordCacheOptions;
  readonly #cache: RecordCache;
  readonly #fetch: FetchRecord;
  readonly #current = new Map<string, Read>();
  #sent = 0;

  constructor(options: RecordCacheOptions, fetch: FetchRecord) {
    this.#options = options;
    this.#cache = new RecordCache(options);
    this.#fetch = fetch;
  }

  /** The record, if it can be answered without a read. */
  get(name: string): KeyRecord | undefined {
    return this.#cache.get(name);
  }

  /** `undefined`: there is no such record; somebody has looked after the call. */
  async read(name: string, freshness: Freshness): Promise<KeyRecord | undefined> {
    if (freshness === "fresh") return (await this.#send(name).found)?.record;
    if (freshness === "unstored") return this.#readUnstored(name);
    const sentBefore = this.#sent;
    for (;;) {
      const record = this.#cache.get(name);
      if (record !== undefined) return record;
      const read = this.#current.get(name) ?? this.#send(name);
      const found = await read.found;
      if (read.number > sentBefore) return found?.record;
      // It was sent before the call. What it did not find may be there by now, and what it found be too old, or known to be.
      if (found !== undefined && !isOutdated(read, found) && this.#isRecent(read.sentAt)) return found.record;
    }
  }

  evict(name: string): void {
    this.#cache.evict(name);
    this.#current.delete(name);
  }

  evictChanged(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#cache.evictUnless(change);
      this.#current.delete(change.name);
    }
  }

  confirm(moment: Moment): void {
    this.#cache.confirm(moment);
  }

  dropAll(): void {
    this.#cache.clear();
    this.#current.clear();
  }

  /** Becomes the current read: what an earlier one finds might be older, and must not take the place of what this one finds. */
  #send(name: string): Read {
    this.#sent += 1;
    const read: Read = {
      number: this.#sent,
      leastVersion: 0,
      sentAt: momentOf(this.#options.clock),
      found: this.#fetch(name).then(
        (found) => {
          if (!this.#end(name, read) || found === undefined || isOutdated(read, found)) this.#outdate(name, found);
          else this.#cache.set(name, found, read.sentAt);
          return found;
        },
        (error: unknown) => {
          this.#end(name, read);
          throw error;
        },
      ),
    };
    this.#current.set(name, read);
    return read;
  }

  /** Whether the read was still the current one. */
  #end(name: string, read: Read): boolean {
    return this.#current.get(name) === read && this.#current.delete(name);
  }

  /**
   * Takes notice of what a read found that is not to be remembered: nobody who asks later gets anything older. The current
   * read may be answered so, though it was sent later.
   */
  #outdate(name: string, found: ReadRecord | undefined): void {
    if (found === undefined) {
      this.evict(name);
      return;
    }
    const { version } = found.record;
    this.#cache.evictOlder(name, version);
    const current = this.#current.get(name);
    if (current !== undefined) current.leastVersion = Math.max(current.leastVersion, version);
  }

  async #readUnstored(name: string): Promise<KeyRecord | undefined> {
    this.#current.delete(name);
    const found = await this.#fetch(name);
    this.#outdate(name, found);
    return found?.record;
  }

  #isRecent(sentAt: Moment): boolean {
    return elapsedMs(sentAt, momentOf(this.#options.clock)) <= this.#options.maxStalenessMs;
  }
}

function isOutdated({ leastVersion }: Read, { record }: ReadRecord): boolean {
  return record.version < leastVersion;
}
