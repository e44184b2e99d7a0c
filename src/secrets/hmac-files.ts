/**
 * The generated `secrets.hmac`: `hmac` holds the newest, and `hmac-retired.json`, which is there after the first rotation, those
 * before it, newest first:
 *
 *     [{ "secret": "...", "used_until": "2026-01-02T03:04:05.678Z" }]
 */
import { join } from "node:path";
import { DataDirectoryError } from "./data-directory-error.js";
import type { RotatedSecrets } from "./key-ring.js";
import { readSecretFile } from "./secret-file.js";
import { keyFromText, parseSecretText } from "./secret-text.js";

/** A secret that has a successor. */
export interface RetiredText {
  readonly text: string;
  /** Milliseconds of Unix time. */
  readonly usedUntilMs: number;
}

const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function hmacFile(directory: string): string {
  return join(directory, "hmac");
}

export function retiredHmacFile(directory: string): string {
  return join(directory, "hmac-retired.json");
}

/** The secrets whose newest one has this text. @throws DataDirectoryError naming the file, never its content */
export async function readRotatedHmac(directory: string, newest: string): Promise<RotatedSecrets> {
  const retired = await readRetiredHmac(directory);
  return {
    current: keyFromText(newest),
    // A rotation that ended between its two files has left the newest among them.
    retired: retired
      .filter(({ text }) => text !== newest)
      .map(({ text, usedUntilMs }) => ({ secret: keyFromText(text), usedUntilMs })),
  };
}

/** Those that `hmac-retired.json` holds. @throws DataDirectoryError likewise */
export async function readRetiredHmac(directory: string): Promise<readonly RetiredText[]> {
  const path = retiredHmacFile(directory);
  const content = await readSecretFile(path);
  if (content === undefined) return [];
  const list = parseJson(content);
  if (!Array.isArray(list)) throw damaged(path);
  return list.map((item: unknown) => {
    const { secret, used_until: usedUntil } = (item ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof secret !== "string" || typeof usedUntil !== "string" || !RFC3339_UTC.test(usedUntil))
      throw damaged(path);
    const usedUntilMs = Date.parse(usedUntil);
    if (Number.isNaN(usedUntilMs)) throw damaged(path);
    return { text: parseSecretText(path, secret), usedUntilMs };
  });
}

/** The content of `hmac-retired.json`. */
export function formatRetiredHmac(retired: readonly RetiredText[]): string {
  const list = retired.map(({ text, usedUntilMs }) => ({
    secret: text,
    used_until: new Date(usedUntilMs).toISOString(),
  }));
  return `${JSON.stringify(list, undefined, 2)}\n`;
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined; // a SyntaxError quotes the content
  }
}

function damaged(path: string): DataDirectoryError {
  return new DataDirectoryError(path, "is damaged; restore it from a backup");
}
