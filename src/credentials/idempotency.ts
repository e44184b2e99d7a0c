/**
 * Requests that may be repeated (AIP-155). What the store keeps of a request_id and of a request are keyed hashes, and the
 * secret that a retry needs is sealed with a key that takes the raw request_id: the store alone opens nothing.
 */
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { UUID_BYTES, uuidFromBytes } from "./uuid.js";

const CIPHER = "aes-256-gcm";
export const SEAL_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;

/** HMAC-SHA-256 over `parts`, each behind its length (4 bytes, big-endian), so that no two lists give the same bytes. */
export function hashParts(key: Uint8Array, parts: readonly string[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(Buffer.byteLength(part));
    hmac.update(length).update(part, "utf8");
  }
  return hmac.digest();
}

/** A version 8 UUID (RFC 9562 section 5.8) out of the first 16 bytes of a hash. */
export function createUuidV8(hash: Uint8Array): string {
  const bytes = Buffer.from(hash.subarray(0, UUID_BYTES));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6); // version 8
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8); // variant 10
  return uuidFromBytes(bytes);
}

/**
 * A text that equal values have in common and others do not: JSON with the members of every object in order. What is
 * `undefined` counts as null, and an integer too large for JSON as its text.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") return JSON.stringify(String(value));
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`).join(",")}}`;
}

/** AES-256-GCM: nonce || ciphertext || tag. `nonce` is 12 random bytes. */
export function sealSecret(
  key: Uint8Array,
  requestId: string,
  keyId: string,
  secret: string,
  nonce: Uint8Array,
): Buffer {
  const cipher = createCipheriv(CIPHER, sealingKey(key, requestId, keyId), nonce);
  const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]);
}

/** What `sealSecret` sealed with one of `keys` for the same request and key; `undefined` when none of them opens it. */
export function openSecret(
  keys: readonly Uint8Array[],
  requestId: string,
  keyId: string,
  box: Uint8Array,
): string | undefined {
  if (box.length < SEAL_NONCE_BYTES + TAG_BYTES) return undefined;
  for (const key of keys) {
    const decipher = createDecipheriv(CIPHER, sealingKey(key, requestId, keyId), box.subarray(0, SEAL_NONCE_BYTES));
    decipher.setAuthTag(box.subarray(-TAG_BYTES));
    try {
      return decipher.update(box.subarray(SEAL_NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    } catch {
      // Not this key: GCM says no more than that.
    }
  }
  return undefined;
}

function sealingKey(key: Uint8Array, requestId: string, keyId: string): Buffer {
  return hashParts(key, ["seal", keyId, requestId]);
}
