const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** A worker that lived so long was well: its end is no part of those before it. */
const GOOD_LIFE_MS = 60_000;

/** How long to wait before a worker that lived for `lifeMs` is started again; `previousMs`: the time before, if there was one. */
export function restartDelayMs(previousMs: number | undefined, lifeMs: number): number {
  if (previousMs === undefined || lifeMs >= GOOD_LIFE_MS) return FIRST_DELAY_MS;
  return Math.min(2 * previousMs, MAX_DELAY_MS);
}
