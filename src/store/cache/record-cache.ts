import { LRUCache } from "lru-cache";
import type { KeyRecord } from "../key-store.js";
import type { Change } from "./change-feed.js";
import { elapsedMs, type Moment, momentOf, type ProcessClock } from "./process-clock.js";
import { recordBytes } from "./record-bytes.js";

/** A record as it was read. */
export interface ReadRecord {
  readonly record: KeyRecord;
  /** As in `Change`. */
  readonly changedAtMs: number | undefined;
}

export interface RecordCacheOptions {
  /** No entry is used for longer after it was read. */
  readonly ttlMs: number;
  /** No entry is used for longer after it was read or confirmed. */
  readonly maxStalenessMs: number;
  /** About as much memory as all entries together may take; the least recently used ones go. */
  readonly maxBytes: number;
  readonly clock: ProcessClock;
}

interface Entry extends ReadRecord {
  /** When its read was sent. */
  readonly sentAt: Moment;
  readonly lifeMs: number;
}

/**
 * Records that were read before, and for how long they may be used. It has no timers: what is too old is found out when it is
 * asked for, by the clocks of that moment, so that no frozen process or machine uses it either.
 */
export class RecordCache {
  readonly #options: RecordCacheOptions;
  readonly #entries: LRUCache<string, Entry>;
  #confirmedAt: Moment | undefined;

  constructor(options: RecordCacheOptions) {
    this.#options = options;
    this.#entries = new LRUCache({ maxSize: options.maxBytes });
  }

  /** The record that may be used now. */
  get(name: string): KeyRecord | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const now = momentOf(this.#options.clock);
    const ageMs = elapsedMs(entry.sentAt, now);
    if (ageMs < entry.lifeMs && this.#stalenessMs(ageMs, now) <= this.#options.maxStalenessMs) return entry.record;
    this.#entries.delete(name);
    return undefined;
  }

  /**
   * Remembers what a read found that was sent at `sentAt`; what is there under the name goes in any case. A pending record is
   * not remembered: whether it counts is asked of another one.
   */
  set(name: string, found: ReadRecord, sentAt: Moment): void {
    const { record } = found;
    const toExpiryMs = (record.expireTime?.getTime() ?? Number.POSITIVE_INFINITY) - sentAt.wallMs;
    const lifeMs = Math.min(this.#options.ttlMs, toExpiryMs);
    if (record.pending === undefined && lifeMs > 0) {
      this.#entries.set(name, { ...found, sentAt, lifeMs }, { size: recordBytes(record) });
    } else {
      this.#entries.delete(name);
    }
  }

  evict(name: string): void {
    this.#entries.delete(name);
  }

  /** Keeps a record only if it is exactly the one of the change. */
  evictUnless({ name, version, changedAtMs }: Change): void {
    const entry = this.#entries.peek(name);
    if (entry?.record.version !== version || entry.changedAtMs !== changedAtMs) this.#entries.delete(name);
  }

  /** Evicts what is at an earlier version. */
  evictOlder(name: string, version: number): void {
    const entry = this.#entries.peek(name);
    if (entry !== undefined && entry.record.version < version) this.#entries.delete(name);
  }

  /** What is in the cache was true at `moment`. */
  confirm(moment: Moment): void {
    this.#confirmedAt = moment;
  }

  clear(): void {
    this.#entries.clear();
  }

  #stalenessMs(ageMs: number, now: Moment): number {
    return this.#confirmedAt === undefined ? ageMs : Math.min(ageMs, elapsedMs(this.#confirmedAt, now));
  }
}
