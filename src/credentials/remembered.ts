import { hash } from "node:crypto";

/** What stands for a credential in memory: its SHA-256. */
export function digestOf(credential: string): string {
  return hash("sha256", credential, "base64");
}

/** Facts about credentials, by their digests: the credentials themselves are not kept. */
export class Remembered<T> {
  readonly #facts = new Map<string, T>();

  /** When there are `maxFacts` of them the oldest is forgotten. */
  constructor(private readonly maxFacts: number) {}

  get(digest: string): T | undefined {
    return this.#facts.get(digest);
  }

  set(digest: string, fact: T): void {
    if (this.#facts.size === this.maxFacts && !this.#facts.has(digest)) {
      const [oldest] = this.#facts.keys();
      if (oldest !== undefined) this.#facts.delete(oldest);
    }
    this.#facts.set(digest, fact);
  }
}
