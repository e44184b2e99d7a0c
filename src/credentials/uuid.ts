/** UUIDs (RFC 9562) in their canonical text form and as 16 bytes. */

export const UUID_BYTES = 16;

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIMESTAMP_BYTES = 6;

/** Lower-case canonical text of a UUID in any case; `undefined` when `text` is none. */
export function parseUuid(text: string): string | undefined {
  return UUID_TEXT.test(text) ? text.toLowerCase() : undefined;
}

/**
 * A version 7 UUID (RFC 9562 section 5.7): 48 bits of Unix time in milliseconds, then random bits.
 * `random` is 16 random bytes; the ones in the timestamp's place are not used.
 */
export function createUuidV7(unixTimeMs: number, random: Uint8Array): string {
  const bytes = Buffer.from(random.subarray(0, UUID_BYTES));
  bytes.writeUIntBE(unixTimeMs, 0, TIMESTAMP_BYTES);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6); // version 7
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8); // variant 10
  return uuidFromBytes(bytes);
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, UUID_BYTES).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}
