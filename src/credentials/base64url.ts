/** base64url without padding (RFC 4648 section 5). */

/**
 * The bytes of `text`; `undefined` when it is not their one canonical spelling. Padding, white space and unused bits that
 * are set are refused (RFC 4648 section 3.5): otherwise one token would have many spellings.
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64url"); // skips what it does not know, hence the comparison
  return bytes.toString("base64url") === text ? bytes : undefined;
}

export function encodeBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
