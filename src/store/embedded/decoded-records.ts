import type { KeyId, KeyRecord } from "../key-store.js";
import { recordKey } from "./index-keys.js";
import { decodeEntry } from "./stored-entry.js";

const MAX_RECORDS = 10_000;
/** Longer ones are rare, and are decoded each time: they could fill the memory. */
const MAX_CHARACTERS = 4_096;

interface Decoded {
  readonly key: Buffer;
  /** What was stored when it was decoded. */
  readonly text: string;
  readonly record: KeyRecord;
}

/**
 * Records that need not be decoded again. Every read still reads what is stored: only when that text is the one that was
 * decoded before, to the last character, is the record the same.
 */
export class DecodedRecords {
  readonly #decoded = new Map<string, Decoded>();

  /** `fetch` answers what is stored under a key now. */
  read(id: KeyId, fetch: (key: Buffer) => string | undefined): KeyRecord | undefined {
    const name = `${id.tenantId}/${id.keyId}`;
    const known = this.#decoded.get(name);
    const key = known?.key ?? recordKey(id);
    const text = key && fetch(key);
    if (key === undefined || text === undefined) return undefined;
    if (known?.text === text) return known.record;

    const entry = decodeEntry(text);
    if (!("record" in entry)) return undefined;
    if (text.length <= MAX_CHARACTERS) this.#remember(name, { key, text, record: entry.record });
    return entry.record;
  }

  #remember(name: string, decoded: Decoded): void {
    this.#decoded.delete(name);
    if (this.#decoded.size === MAX_RECORDS) {
      const [oldest] = this.#decoded.keys();
      if (oldest !== undefined) this.#decoded.delete(oldest);
    }
    this.#decoded.set(name, decoded);
  }
}
