import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { DataDirectoryError } from "./data-directory-error.js";

const GENERATED_BYTES = 32;
const MIN_CHARACTERS = 32;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** Beginning of generated admin tokens, for scanners and people. */
const ADMIN_TOKEN_PREFIX = "lka_";

export function generateSecretText(): string {
  return `${randomBytes(GENERATED_BYTES).toString("base64url")}\n`;
}

/** Hexadecimal, so that a double click selects the whole token. */
export function generateAdminToken(): string {
  return `${ADMIN_TOKEN_PREFIX}${randomBytes(GENERATED_BYTES).toString("hex")}\n`;
}

/**
 * The secret that a file holds: one line of at least 32 visible ASCII characters. The UTF-8 bytes of its text are the
 * key, as with a configured secret, so a file's content can be moved into the configuration.
 * @throws DataDirectoryError naming the file, never its content
 */
export function parseSecretText(path: string, content: string): string {
  const text = content.replace(/\r?\n$/, "");
  if (text === "") throw new DataDirectoryError(path, "is empty: restore it from a backup");
  if (!VISIBLE_ASCII.test(text)) {
    throw new DataDirectoryError(
      path,
      "is damaged: must be one line of visible ASCII characters; restore it from a backup",
    );
  }
  if (text.length < MIN_CHARACTERS) {
    throw new DataDirectoryError(
      path,
      `is too short: must have at least ${MIN_CHARACTERS} characters; restore it from a backup`,
    );
  }
  return text;
}

export function keyFromText(text: string): KeyObject {
  return createSecretKey(Buffer.from(text, "utf8"));
}
