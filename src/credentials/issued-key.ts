/**
 * Issued keys: `<prefix>_v1_<body>`, body = base58( key id, 16 bytes || secret, 32 bytes || checksum, 4 bytes ). A prefix is
 * 1 to 16 of A-Z, a-z, 0-9 and "_". There is no hyphen, so that a double click selects the whole key.
 *
 * The checksum is the first 4 bytes of SHA-256( prefix || "_v1_" || key id || secret ), all as bytes. It is public: it
 * finds typing errors and lets scanners recognise a key offline; it proves nothing. `test/vectors/issued-keys.json`
 * has fixed examples.
 */
import { createHash, hash, timingSafeEqual } from "node:crypto";
import { base58 } from "@scure/base";
import { UUID_BYTES, uuidFromBytes, uuidToBytes } from "./uuid.js";

export const SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;
const BODY_BYTES = UUID_BYTES + SECRET_BYTES + CHECKSUM_BYTES;
/** ceil(52 bytes * log 256 / log 58): base58 takes quadratic time, so longer bodies are not decoded at all. */
const MAX_BODY_CHARACTERS = 72;
const VERSION_MARK = "_v1_";

export interface IssuedKey {
  readonly prefix: string;
  /** UUID text. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** `mistyped`: it has the form `<one of the prefixes>_v1_...`, but its body is not one that was issued with it. */
export type ParsedIssuedKey = { readonly value: IssuedKey } | { readonly error: "not_issued" | "mistyped" };

export function formatIssuedKey(key: IssuedKey): string {
  const payload = Buffer.concat([uuidToBytes(key.keyId), key.secret]);
  return `${key.prefix}${VERSION_MARK}${base58.encode(Buffer.concat([payload, checksum(key.prefix, payload)]))}`;
}

/** Reads a credential that may be an issued key with one of `prefixes`. Never throws. */
export function parseIssuedKey(credential: string, prefixes: readonly string[]): ParsedIssuedKey {
  const prefix = prefixes.find((candidate) => credential.startsWith(`${candidate}${VERSION_MARK}`));
  if (prefix === undefined) return { error: "not_issued" };

  const body = decodeBody(credential.slice(prefix.length + VERSION_MARK.length));
  if (body === undefined) return { error: "mistyped" };
  const payload = body.subarray(0, UUID_BYTES + SECRET_BYTES);
  if (!checksum(prefix, payload).equals(body.subarray(payload.length))) return { error: "mistyped" };

  return { value: { prefix, keyId: uuidFromBytes(payload), secret: payload.subarray(UUID_BYTES) } };
}

/** What the store keeps of a secret. The secret has 256 random bits, so a plain hash can be neither guessed nor inverted. */
export function hashSecret(secret: Uint8Array): Uint8Array {
  return hash("sha256", secret, "buffer");
}

/** Whether two hashes of secrets are the same; takes the same time for every pair. */
export function isSameSecretHash(presented: Uint8Array, stored: Uint8Array): boolean {
  return presented.length === stored.length && timingSafeEqual(presented, stored);
}

function checksum(prefix: string, payload: Uint8Array): Buffer {
  const digest = createHash("sha256").update(prefix).update(VERSION_MARK).update(payload).digest();
  return digest.subarray(0, CHECKSUM_BYTES);
}

function decodeBody(text: string): Uint8Array | undefined {
  if (text.length > MAX_BODY_CHARACTERS) return undefined;
  try {
    const bytes = base58.decode(text);
    return bytes.length === BODY_BYTES ? bytes : undefined;
  } catch {
    return undefined; // base58.decode throws for a character outside its alphabet, and for nothing else
  }
}
