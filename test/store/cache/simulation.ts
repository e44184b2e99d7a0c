/** Time that passes only from event to event. */
export class Simulation {
  /** True time, which no clock in the simulation is sure to tell; in milliseconds. */
  nowMs = 0;
  readonly #random: () => number;
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  at(atMs: number, run: () => void): void {
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.atMs ?? 0) <= atMs) index -= 1;
    this.#events.splice(index, 0, { atMs, run });
  }

  /** Runs what happens until then; whatever an event resolves goes on before the next one. */
  async runUntil(endMs: number): Promise<void> {
    for (;;) {
      const event = this.#events.at(-1);
      if (event === undefined || event.atMs > endMs) return;
      this.#events.pop();
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.run();
      for (let tick = 0; tick < TICKS; tick += 1) await undefined;
    }
  }

  /** A number from 0 to below `end`. */
  below(end: number): number {
    return this.#random() * end;
  }

  oneOf<T>(...values: [T, ...T[]]): T {
    return values[Math.floor(this.below(values.length))] ?? values[0];
  }
}

/** More than any chain of promises between two events is long. */
const TICKS = 12;

/** mulberry32: the same numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
