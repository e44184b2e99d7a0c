import type { KeyId, KeyRecord } from "../key-store.js";
import { recordKey } from "./index-keys.js";
import { decodeEntry } from "./stored-entry.js";

/** A few kilobytes each. */
const MAX_RECORDS = 10_000;

interface Decoded {
  readonly key: Buffer;
  /** What was stored when it was decoded. */
  readonly bytes: Buffer;
  readonly record: KeyRecord;
}

/**
 * Records that need not be decoded again. Every read still reads what is stored: only when those bytes are the ones that were
 * decoded before, to the last, is the record the same.
 */
export class DecodedRecords {
  readonly #decoded = new Map<string, Decoded>();

  /** `fetch` answers what is stored under a key now. */
  read(id: KeyId, fetch: (key: Buffer) => Buffer | undefined): KeyRecord | undefined {
    const name = `${id.tenantId}/${id.keyId}`;
    const known = this.#decoded.get(name);
    const key = known?.key ?? recordKey(id);
    const bytes = key && fetch(key);
    if (key === undefined || bytes === undefined) return undefined;
    if (known?.bytes.equals(bytes)) return known.record;

    const entry = decodeEntry(bytes.toString());
    if (!("record" in entry)) return undefined;
    this.#remember(name, { key, bytes, record: entry.record });
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
