import { createHash } from "node:crypto";
import type { KeyStore } from "../../src/store/key-store.js";
import { type ExportOptions, exportKeys } from "../../src/transfer/export-keys.js";
import type { ExportKeys } from "../../src/transfer/read-export.js";

export const EXPORT_KEYS: ExportKeys = { macKey: new Uint8Array(32).fill(1), pepperCheck: new Uint8Array(32).fill(2) };
export const CREATED = new Date("2026-01-02T03:04:05.678Z");

/** The whole export of a store. */
export async function exportOf(store: Pick<KeyStore, "scan">, options: Partial<ExportOptions> = {}): Promise<string> {
  let text = "";
  for await (const part of exportKeys({ ...EXPORT_KEYS, store, created: CREATED, ...options })) text += part;
  return text;
}

export async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

/** A line, with its line feed, with the checksum that it should have. */
export function withSum(line: string): string {
  const rest = line.trimEnd().replace(/^\{"sum":"[0-9a-f]{16}",/, "");
  return `{"sum":"${createHash("sha256").update(rest).digest("hex").slice(0, 16)}",${rest}\n`;
}
