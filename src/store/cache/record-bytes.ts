import type { KeyRecord } from "../key-store.js";

/** Of the entry, the record, and the answer that is made of it and remembered with it. */
const OVERHEAD_BYTES = 2_048;
/** The text of a record is kept up to three times: in the record, and in two encodings of the answer. */
const COPIES = 3;
const BYTES_PER_CHARACTER = 2;
/** Of a text, a number, a list or an object, besides what is in it. */
const BYTES_PER_VALUE = 24;

/** About how much memory a cached record takes, in bytes; rather too much than too little. */
export function recordBytes(record: KeyRecord): number {
  return OVERHEAD_BYTES + COPIES * valueBytes(record);
}

function valueBytes(value: unknown): number {
  if (typeof value === "string") return BYTES_PER_VALUE + BYTES_PER_CHARACTER * value.length;
  if (value instanceof Uint8Array) return BYTES_PER_VALUE + value.length;
  if (typeof value !== "object" || value === null) return BYTES_PER_VALUE;
  let bytes = BYTES_PER_VALUE;
  for (const [name, inner] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 0 : BYTES_PER_CHARACTER * name.length) + valueBytes(inner);
  }
  return bytes;
}
