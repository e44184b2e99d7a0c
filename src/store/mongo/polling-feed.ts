import type { Change, ChangeListener } from "../cache/change-feed.js";
import { elapsedMs, type Moment, momentOf, type ProcessClock } from "../cache/process-clock.js";
import { MAX_WRITE_TIME_MS } from "./client-options.js";

/** A poll that took longer evicts, but confirms nothing. */
const MAX_POLL_MS = 1_000;
/** How far back most polls look: most changes are visible at once. */
const NARROW_MS = 250;
/** How often a poll looks back as far as a change may be late. */
const WIDE_INTERVAL_MS = 1_000;
/** More than the clocks of the server and of this process should move apart while a change is under way. */
const MAX_CLOCK_DIFFERENCE_MS = 1_000;
/** Changes that one poll takes in: in a wide one, those of 2,000 writes a second. With more, everything is dropped. */
const MAX_CHANGES = 10_000;

/**
 * The least that a wide poll has to look back further than to the poll before it: as long as a change may stay invisible, and
 * as much as the clocks may have moved apart unnoticed meanwhile, the time of both answers that were compared included.
 */
export const MIN_OVERLAP_MS = MAX_WRITE_TIME_MS + MAX_CLOCK_DIFFERENCE_MS + 2 * MAX_POLL_MS;

/** What a server says of itself. */
export interface ServerState {
  /** By its clock, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Tells it from any other server, and from itself before a restart or an election; the same for all where it does not say. */
  readonly identity: string;
}

export interface PolledServer {
  readState(): Promise<ServerState>;
  /** Records that are stamped with this time or a later one, at most `limit`. */
  readChanges(sinceMs: number, limit: number): Promise<readonly Change[]>;
}

export interface PollingFeedOptions {
  readonly server: PolledServer;
  readonly listener: ChangeListener;
  /** How far a wide poll looks back further than to the poll before it; at least MIN_OVERLAP_MS. */
  readonly overlapMs: number;
  readonly clock: ProcessClock;
}

/** A wide poll that was quick and went well: what later ones are compared with. */
interface Reference {
  readonly sentAt: Moment;
  readonly offset: ClockOffset;
}

/** By how much the server's clock is ahead of this process's monotonic one, in milliseconds: between these. */
interface ClockOffset {
  readonly min: number;
  readonly max: number;
}

/**
 * Finds changes by the time that the server stamped them with, and tells a cache (DESIGN section 5).
 *
 * A change becomes visible up to MAX_WRITE_TIME_MS after its stamp. So a *wide* poll, once a second, looks back `overlapMs`
 * further than to the server's time at the wide poll before it; all that was visible by then and is not in the cache is told by
 * it, so it confirms the rest. The *narrow* polls between find most changes at once, and confirm nothing.
 *
 * That rests on the server's clock. When it moved against that of this process, or another server answers, everything is
 * dropped; and for as long as a change may be on its way that an earlier clock has stamped, nothing is confirmed, and then
 * everything is dropped once more. The same *doubt* is there in the beginning, and after the last confirmation is
 * longer ago than the overlap.
 *
 * What it cannot see: a clock that is set and set back between two polls; changes that stay invisible for longer than
 * MAX_WRITE_TIME_MS after their stamp (a majority of a replica set that lags behind, and a deposed primary); and, where the server
 * does not tell what it is (behind mongos, and FerretDB), another server with nearly the same clock, or one that tells the
 * time with another clock than the one that stamps. There `cache.ttl` is the bound.
 */
export class PollingFeed {
  readonly #options: PollingFeedOptions;
  #identity: string | undefined;
  /** Oldest first: those that may be younger than a change that is not visible yet, and one before. */
  #references: readonly Reference[] = [];
  /** The server's time at the last poll, and at the last wide one. */
  #lastMs = 0;
  #lastWideMs = 0;
  #lastWideAt: Moment | undefined;
  /** Since then; `undefined`: everything is in order. */
  #doubtAt: Moment | undefined;

  constructor(options: PollingFeedOptions) {
    if (options.overlapMs < MIN_OVERLAP_MS) throw new TypeError(`an overlap of less than ${MIN_OVERLAP_MS} ms`);
    this.#options = options;
  }

  /** One poll. The next one begins after it has ended. Rejects when the server cannot be asked; then nothing is confirmed. */
  async poll(): Promise<void> {
    const { server, listener, overlapMs } = this.#options;
    const sentAt = this.#now();
    // Before its range is read: what becomes visible in between is stamped before the time from which the next one looks back.
    const state = await server.readState();
    const offset = clockOffset(state, sentAt, this.#now());
    this.#watch(state, offset, sentAt);

    const isWide = this.#lastWideAt === undefined || elapsedMs(this.#lastWideAt, sentAt) >= WIDE_INTERVAL_MS;
    const sinceMs = isWide ? this.#lastWideMs - overlapMs : this.#lastMs - NARROW_MS;
    const changes = await server.readChanges(sinceMs, MAX_CHANGES + 1);
    if (changes.length > MAX_CHANGES) listener.dropAll();
    else listener.evictChanged(changes);

    this.#lastMs = state.timeMs;
    if (!isWide) return;
    this.#lastWideMs = state.timeMs;
    this.#lastWideAt = sentAt;
    if (elapsedMs(sentAt, this.#now()) > MAX_POLL_MS) return;
    this.#references = [...this.#references, { sentAt, offset }];
    this.#confirm(sentAt);
  }

  /** Finds out whether what earlier polls said of the server's clock still holds. */
  #watch(state: ServerState, offset: ClockOffset, sentAt: Moment): void {
    const isOther = this.#identity !== undefined && this.#identity !== state.identity;
    const isMoved = this.#references.some(
      (reference) => differenceMs(reference.offset, offset) > MAX_CLOCK_DIFFERENCE_MS,
    );
    if (isOther || isMoved) this.#options.listener.dropAll();
    const { overlapMs } = this.#options;
    const isWithin = (reference: Reference, ms: number) => elapsedMs(reference.sentAt, sentAt) <= ms;
    this.#references = this.#references.filter((reference) => isWithin(reference, overlapMs + MAX_WRITE_TIME_MS));
    const last = this.#references.at(-1);
    if (!isOther && !isMoved && last !== undefined && isWithin(last, overlapMs)) return;

    this.#identity = state.identity;
    this.#references = [];
    this.#lastMs = state.timeMs;
    this.#lastWideMs = state.timeMs;
    this.#lastWideAt = undefined;
    this.#doubtAt = this.#now();
  }

  #confirm(sentAt: Moment): void {
    const { listener } = this.#options;
    if (this.#doubtAt !== undefined) {
      // By the monotonic clock alone: it never says too much.
      if (sentAt.monotonicMs - this.#doubtAt.monotonicMs < MAX_WRITE_TIME_MS) return;
      this.#doubtAt = undefined;
      listener.dropAll();
    }
    listener.confirm(sentAt);
  }

  #now(): Moment {
    return momentOf(this.#options.clock);
  }
}

/** The server read its clock between the two moments. */
function clockOffset({ timeMs }: ServerState, sentAt: Moment, answeredAt: Moment): ClockOffset {
  return { min: timeMs - answeredAt.monotonicMs, max: timeMs - sentAt.monotonicMs };
}

/** By how much the clocks moved apart at least. */
function differenceMs(before: ClockOffset, now: ClockOffset): number {
  return Math.max(now.min - before.max, before.min - now.max, 0);
}
