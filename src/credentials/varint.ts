/** Unsigned LEB128 numbers of at most 32 bits: 7 bits a byte, the lowest first, the top bit set in all but the last. */

const MAX_VALUE = 0xffff_ffff;
const MAX_BYTES = 5;

/** @throws RangeError for a number that is not whole, negative or of more than 32 bits */
export function encodeVarint(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > MAX_VALUE) throw new RangeError(`${value} is no varint`);
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.of(...bytes, rest);
}

/**
 * Reads the number that starts at `offset`; `end` is the offset after it. `undefined` when the input ends inside it, when
 * it has more than 32 bits, or when fewer bytes could say the same.
 */
export function decodeVarint(
  bytes: Uint8Array,
  offset: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < MAX_BYTES; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 0x80 ** index; // no shifts: they have 31 bits
    if (byte >= 0x80) continue;
    const isMinimal = index === 0 || byte !== 0;
    return isMinimal && value <= MAX_VALUE ? { value, end: offset + index + 1 } : undefined;
  }
  return undefined;
}
