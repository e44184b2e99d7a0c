/**
 * Page tokens (AIP-158): opaque, URL-safe, and good only for the call they were made for.
 *
 * base64url( format, 1 byte || nonce, 12 bytes || AES-256-GCM( expiry, 8 bytes || position ) || tag, 16 bytes ).
 * What the token belongs to (tenant, RPC, filter) is the additional authenticated data: a token presented with another
 * filter does not open. The page size is not part of it and may change from page to page.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { ServiceError } from "../errors.js";

const CIPHER = "aes-256-gcm";
const FORMAT = 1;
const FORMAT_BYTES = 1;
const NONCE_BYTES = 12;
const EXPIRY_BYTES = 8;
const TAG_BYTES = 16;
export const PAGE_TOKEN_LIFETIME_MS = 86_400_000;
/** Longer texts are no tokens of ours. */
const MAX_TOKEN_CHARACTERS = 1024;

/** The keys tokens are sealed with (AES-256: 32 bytes). */
export interface PageTokenKeys {
  readonly current: Uint8Array;
  /** All that are accepted, the current one first. */
  readonly all: readonly Uint8Array[];
}

/** What a token belongs to, as parts in a fixed order; none may be left out when it opens. */
export type PageTokenScope = readonly string[];

/** Seals a position for the next page. `now` is in milliseconds of Unix time. */
export function sealPageToken(position: string, scope: PageTokenScope, keys: PageTokenKeys, now: number): string {
  const nonce = randomBytes(NONCE_BYTES);
  const expiry = Buffer.alloc(EXPIRY_BYTES);
  expiry.writeBigUInt64BE(BigInt(now + PAGE_TOKEN_LIFETIME_MS));
  const cipher = createCipheriv(CIPHER, keys.current, nonce).setAAD(digest(scope));
  const sealed = Buffer.concat([cipher.update(expiry), cipher.update(position, "utf8"), cipher.final()]);
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, sealed, cipher.getAuthTag()]).toString("base64url");
}

/** Opens a token and answers its position. Throws INVALID_PAGE_TOKEN for any token that was not made for this call. */
export function openPageToken(token: string, scope: PageTokenScope, keys: PageTokenKeys, now: number): string {
  const bytes = Buffer.from(token.slice(0, MAX_TOKEN_CHARACTERS), "base64url");
  // base64url decoding skips what it does not know, so a token is accepted only in the one spelling it was given in.
  const wellFormed = bytes.toString("base64url") === token && bytes[0] === FORMAT;
  if (!wellFormed || bytes.length < FORMAT_BYTES + NONCE_BYTES + EXPIRY_BYTES + TAG_BYTES) throw invalidPageToken();

  for (const key of keys.all) {
    const opened = decrypt(bytes, key, digest(scope));
    if (opened === undefined) continue;
    if (opened.readBigUInt64BE() <= BigInt(now)) throw invalidPageToken("has expired; list again from the first page");
    return opened.toString("utf8", EXPIRY_BYTES);
  }
  throw invalidPageToken();
}

/** The error of a token, also of one that opened but holds no position. */
export function invalidPageToken(description = "is not a next_page_token of this list with this filter"): ServiceError {
  const fields = [{ field: "page_token", description }];
  return new ServiceError("INVALID_PAGE_TOKEN", `page_token: ${description}`, { fields });
}

function decrypt(bytes: Buffer, key: Uint8Array, scope: Uint8Array): Buffer | undefined {
  const body = FORMAT_BYTES + NONCE_BYTES;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(FORMAT_BYTES, body), { authTagLength: TAG_BYTES });
  decipher.setAAD(scope).setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = decipher.update(bytes.subarray(body, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return undefined; // final() throws when the tag does not match, and for nothing else
  }
  return opened;
}

/** One value for the scope, with no way to move characters from one part to the next. */
function digest(scope: PageTokenScope): Uint8Array {
  return createHash("sha256").update(JSON.stringify(scope)).digest();
}
