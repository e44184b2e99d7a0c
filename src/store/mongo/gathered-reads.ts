import { ServiceError } from "../../errors.js";
import { lateAnswer } from "./unavailable.js";

/** Reads several in one go: by name, what is there. */
export type FetchMany<T> = (names: readonly string[]) => Promise<ReadonlyMap<string, T>>;

/** Reads in one go under way at once. A second one keeps the server busy while the answer to the first is decoded. */
const MAX_IN_FLIGHT = 2;
/** Names that are read in one go. */
const MAX_NAMES = 1_000;
/** Names that may wait. More cannot be read before their callers give up, and while a server hangs they would fill the memory. */
const MAX_WAITING = 10_000;

interface Waiting<T> {
  readonly found: Promise<T | undefined>;
  /** When the last of its callers gives up, by `performance.now`. */
  endMs: number;
  resolve(found: T | undefined): void;
  reject(error: unknown): void;
}

/**
 * Gathers the reads that wait at the same time, and sends them in one go: a server answers many names in a fraction of the
 * time that as many single reads take. Nobody waits for others to come: while fewer than two are under way, a read is sent as
 * soon as what runs now has asked for all that it wants. A name that is waiting already is read once; one that was sent is not
 * joined. What nobody waits for any more is not sent.
 */
export class GatheredReads<T> {
  readonly #fetchMany: FetchMany<T>;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, Waiting<T>>();
  #inFlight = 0;
  #isScheduled = false;

  /** `timeoutMs`: how long a caller waits. */
  constructor(fetchMany: FetchMany<T>, timeoutMs: number) {
    this.#fetchMany = fetchMany;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * What a read finds that is sent after the call; `undefined` when there is nothing. Rejects as the read does, and with
   * UNAVAILABLE when too many wait.
   */
  async read(name: string): Promise<T | undefined> {
    const known = this.#waiting.get(name);
    if (known === undefined && this.#waiting.size >= MAX_WAITING) {
      throw new ServiceError("UNAVAILABLE", "too many reads wait for the key store");
    }
    const waiting = known ?? this.#add(name);
    waiting.endMs = performance.now() + this.#timeoutMs;
    this.#schedule();
    return waiting.found;
  }

  #add(name: string): Waiting<T> {
    let settle: Pick<Waiting<T>, "resolve" | "reject"> | undefined;
    const found = new Promise<T | undefined>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const waiting = { found, endMs: 0, ...(settle as unknown as Pick<Waiting<T>, "resolve" | "reject">) };
    this.#waiting.set(name, waiting);
    return waiting;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight === MAX_IN_FLIGHT || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      void this.#send(this.#take());
    });
  }

  /** The longest waiting first, of those that somebody waits for. */
  #take(): ReadonlyMap<string, Waiting<T>> {
    const taken = new Map<string, Waiting<T>>();
    const nowMs = performance.now();
    for (const [name, waiting] of this.#waiting) {
      if (taken.size === MAX_NAMES) break;
      this.#waiting.delete(name);
      if (waiting.endMs > nowMs) taken.set(name, waiting);
      else waiting.reject(lateAnswer());
    }
    return taken;
  }

  /** Never rejects. */
  async #send(taken: ReadonlyMap<string, Waiting<T>>): Promise<void> {
    if (taken.size === 0) return;
    this.#inFlight += 1;
    this.#schedule();
    try {
      const found = await this.#fetchMany([...taken.keys()]);
      for (const [name, waiting] of taken) waiting.resolve(found.get(name));
    } catch (error) {
      for (const waiting of taken.values()) waiting.reject(error);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
    }
  }
}
