import { hash } from "node:crypto";

/** Facts about credentials, by SHA-256 of the credential: the credential itself is not kept. */
export class Remembered<T> {
  readonly #facts = new Map<string, T>();

  /** When there are `maxFacts` of them the oldest is forgotten. */
  constructor(private readonly maxFacts: number) {}

  get(credential: string): T | undefined {
    return this.#facts.get(digestOf(credential));
  }

  set(credential: string, fact: T): void {
    const digest = digestOf(credential);
    if (this.#facts.size === this.maxFacts && !this.#facts.has(digest)) {
      const [oldest] = this.#facts.keys();
      if (oldest !== undefined) this.#facts.delete(oldest);
    }
    this.#facts.set(digest, fact);
  }
}

function digestOf(credential: string): string {
  return hash("sha256", credential, "base64");
}
