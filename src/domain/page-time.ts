import { setImmediate } from "node:timers/promises";

/** However slow a filter is, a page ends after so much work; what it has not looked at is the next one's (AIP-158). */
const MAX_PAGE_MS = 500;
/** Work without a pause; then other calls come in between. */
const MAX_TURN_MS = 5;

/** The time that a page takes to be made, from now; waiting for others is not counted. */
export class PageTime {
  readonly #now: () => number;
  #leftMs = MAX_PAGE_MS;
  #turnStartMs: number;

  /** `now`: in milliseconds, and never back. */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#turnStartMs = now();
  }

  /** Asked after each record: whether the page has to end here. */
  isOver(): boolean {
    return this.#now() - this.#turnStartMs >= this.#leftMs;
  }

  /** Lets other calls in, when it is their turn. */
  async pause(): Promise<void> {
    if (this.#now() - this.#turnStartMs >= MAX_TURN_MS) await this.waitFor(setImmediate());
  }

  async waitFor<T>(others: Promise<T>): Promise<T> {
    this.#leftMs -= this.#now() - this.#turnStartMs;
    const result = await others;
    this.#turnStartMs = this.#now();
    return result;
  }
}
