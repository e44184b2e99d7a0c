/**
 * The clocks of this process. Neither is enough by itself: the monotonic one may stand still while a machine is suspended, and
 * the wall clock may be set back.
 */
export interface ProcessClock {
  /** Milliseconds since some moment; never goes back. */
  monotonicMs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;
}

/** A moment, by both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const processClock: ProcessClock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export function momentOf(clock: ProcessClock): Moment {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/** How long ago a moment was, by whichever clock says longer. */
export function elapsedMs(since: Moment, now: Moment): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);
}
