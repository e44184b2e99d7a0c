/** A URL that may hold a secret. Printing it, logging it or turning it into JSON shows nothing of it. */
export class SecretUrl {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The URL as it was written. */
  reveal(): string {
    return this.#text;
  }
}
