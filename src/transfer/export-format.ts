/**
 * The lines of an export, JSON each:
 *
 *     line    = {"sum": "<16 hex digits>", <rest>      the sum: the first 8 bytes of SHA-256 of <rest>
 *     first   "format": "latchkey-export", "version": 1, "created": <time>, "pepper_check": <base64>
 *     then    "key": {...}                             a key as it was then; a later line of the same key replaces it
 *             "deleted": {"tenant_id", "key_id"}
 *     last    "end": {"lines", "keys", "mac"}          lines before it, keys that are left, and of the text of all those lines,
 *                                                      line feeds included, HMAC-SHA-256 under a key made from secrets.pepper
 *
 * The sums find what was damaged, and where. The MAC finds every other change, also one that was made on purpose: nobody without
 * the pepper can make an export that is restored.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { KeyId, KeyRecord } from "../store/key-store.js";
import { decodeKey, encodeKey } from "./record-codec.js";

export const FORMAT_NAME = "latchkey-export";
export const FORMAT_VERSION = 1;

const SUM_HEX = 16;
const SUM = new RegExp(`^\\{"sum":"([0-9a-f]{${SUM_HEX}})",`);
const SUM_END = '{"sum":"",'.length + SUM_HEX;

export interface ExportHeader {
  readonly version: number;
  readonly created: string;
  readonly pepper_check: string;
}

export interface ExportEnd {
  readonly lines: number;
  readonly keys: number;
  readonly mac: string;
}

export type ExportEntry =
  | { readonly header: ExportHeader }
  | { readonly record: KeyRecord }
  | { readonly deleted: KeyId }
  | { readonly end: ExportEnd };

const headerLine = z.object({
  sum: z.string(),
  format: z.literal(FORMAT_NAME),
  version: z.int(),
  created: z.string(),
  pepper_check: z.string(),
});
const deletedLine = z.strictObject({
  sum: z.string(),
  deleted: z.strictObject({ tenant_id: z.string(), key_id: z.string() }),
});
const endLine = z.strictObject({
  sum: z.string(),
  end: z.strictObject({ lines: z.int(), keys: z.int(), mac: z.base64() }),
});

/** With its line feed. */
export function formatEntry(entry: ExportEntry): string {
  if ("header" in entry) return formatLine({ format: FORMAT_NAME, ...entry.header });
  if ("record" in entry) return formatLine({ key: encodeKey(entry.record) });
  if ("end" in entry) return formatLine(entry);
  return formatLine({ deleted: { tenant_id: entry.deleted.tenantId, key_id: entry.deleted.keyId } });
}

/** What is wrong with a line. */
export type LineProblem = "no-line" | "wrong-sum" | "unknown-content";

/** A line without its line feed. */
export function parseLine(text: string): { entry: ExportEntry } | { problem: LineProblem } {
  const sum = SUM.exec(text)?.[1];
  if (sum === undefined) return { problem: "no-line" };
  if (sumOf(text.slice(SUM_END)) !== sum) return { problem: "wrong-sum" };
  const entry = parseEntry(text);
  return entry === undefined ? { problem: "unknown-content" } : { entry };
}

function parseEntry(text: string): ExportEntry | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== "object" || line === null) return undefined;
  if ("key" in line) {
    const record = Object.keys(line).length === 2 ? decodeKey(line.key) : undefined;
    return record && { record };
  }
  if ("format" in line) {
    const { data } = headerLine.safeParse(line);
    return data && { header: { version: data.version, created: data.created, pepper_check: data.pepper_check } };
  }
  if ("end" in line) {
    const { data } = endLine.safeParse(line);
    return data && { end: data.end };
  }
  const { data } = deletedLine.safeParse(line);
  return data && { deleted: { tenantId: data.deleted.tenant_id, keyId: data.deleted.key_id } };
}

function formatLine(content: object): string {
  const rest = JSON.stringify(content).slice(1);
  return `{"sum":"${sumOf(rest)}",${rest}\n`;
}

function sumOf(rest: string): string {
  return createHash("sha256").update(rest).digest("hex").slice(0, SUM_HEX);
}
