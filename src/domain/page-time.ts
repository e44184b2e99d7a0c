import { setImmediate } from "node:timers/promises";

/** However slow a filter is, a page ends after this; what it has not looked at is the next one's (AIP-158). */
const MAX_PAGE_MS = 500;
/** Work without a pause; then other calls come in between. */
const MAX_TURN_MS = 5;

/** The time that a page takes, from now. */
export class PageTime {
  readonly #now: () => number;
  readonly #endTime: number;
  #turnEndTime: number;

  /** `now`: in milliseconds, and never back. */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#endTime = now() + MAX_PAGE_MS;
    this.#turnEndTime = now() + MAX_TURN_MS;
  }

  /** Asked after each record: whether the page has to end here. */
  isOver(): boolean {
    return this.#now() >= this.#endTime;
  }

  /** Lets other calls in, when it is their turn. */
  async pause(): Promise<void> {
    if (this.#now() < this.#turnEndTime) return;
    await setImmediate();
    this.#turnEndTime = this.#now() + MAX_TURN_MS;
  }
}
