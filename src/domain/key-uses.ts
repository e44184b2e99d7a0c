import type { KeyId, KeyStore, KeyUse } from "../store/key-store.js";

/** How often the uses are written. */
const WRITE_INTERVAL_MS = 30_000;
/** So many keys are written at once, and not later than when there are so many. */
const WRITE_KEYS = 1_000;
/** Keys whose use is remembered while they cannot be written. More are forgotten: a later use says more anyway. */
const MAX_KEYS = 10_000;

/** Tells the last use of keys to the store, in batches: to note one costs no verification a write. */
export class KeyUses {
  readonly #store: KeyStore;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #noted = new Map<string, KeyUse>();
  #underWay: Promise<void> | undefined;

  /** `onError` is told of writes that failed; what they had is written with the next. */
  constructor(store: KeyStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
    this.#timer = setInterval(() => this.#write(), WRITE_INTERVAL_MS).unref();
  }

  /** Remembers that a key was used at a time, which is not before the last one that was noted. */
  note({ tenantId, keyId }: KeyId, time: Date): void {
    const name = `${tenantId}/${keyId}`;
    if (this.#noted.size >= MAX_KEYS && !this.#noted.has(name)) return;
    this.#noted.set(name, { tenantId, keyId, time });
    if (this.#noted.size >= WRITE_KEYS) this.#write();
  }

  /** Writes what is noted, and notes no more by itself. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
    this.#write();
    await this.#underWay;
  }

  #write(): void {
    if (this.#noted.size === 0) return;
    this.#underWay ??= this.#writeNoted().then((isWritten) => {
      this.#underWay = undefined;
      if (isWritten && this.#noted.size >= WRITE_KEYS) this.#write();
    });
  }

  /** Whether all of it was written. */
  async #writeNoted(): Promise<boolean> {
    const uses = [...this.#noted.entries()];
    this.#noted = new Map();
    for (let start = 0; start < uses.length; start += WRITE_KEYS) {
      try {
        await this.#store.recordUses(uses.slice(start, start + WRITE_KEYS).map(([, use]) => use));
      } catch (error) {
        this.#onError(error);
        for (const [name, use] of uses.slice(start)) this.#noteAgain(name, use);
        return false;
      }
    }
    return true;
  }

  #noteAgain(name: string, use: KeyUse): void {
    if (this.#noted.size < MAX_KEYS && !this.#noted.has(name)) this.#noted.set(name, use);
  }
}
