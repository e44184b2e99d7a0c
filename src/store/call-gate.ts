import { ServiceError } from "../errors.js";

/** Lets calls through until it is closed. Closing waits for the calls under way. */
export class CallGate {
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  /** Throws UNAVAILABLE once the gate has been closed. */
  check(): void {
    if (this.#closed) throw new ServiceError("UNAVAILABLE", "the key store is closed");
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    const running = call();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }
}
