import { createHmac, timingSafeEqual } from "node:crypto";
import type { KeyId, KeyRecord } from "../store/key-store.js";
import { type ExportEnd, type ExportHeader, FORMAT_VERSION, type LineProblem, parseLine } from "./export-format.js";
import { splitLines } from "./split-lines.js";
import { TransferError } from "./transfer-error.js";

/** Longer than any key that the service makes. */
const MAX_LINE_BYTES = 1024 * 1024;
/** As good as the whole, and less to remember for each key. */
const DIGEST_BYTES = 16;

export interface ExportKeys {
  /** 32 bytes, made from the pepper. */
  readonly macKey: Uint8Array;
  readonly pepperCheck: Uint8Array;
}

/** What a line says of a key. */
export type KeyLine = { readonly number: number } & (
  | { readonly record: KeyRecord /** Of the line, under the key of the MAC. */; readonly digest: string }
  | { readonly deleted: KeyId }
);

const PROBLEMS: Readonly<Record<LineProblem, string>> = {
  "no-line": "is no line of an export",
  "wrong-sum": "was damaged or edited: it does not fit its checksum",
  "unknown-content": "holds what this release does not know",
};

/**
 * What an export says, line by line. What it says holds only when there is no error up to its end: the MAC is at the end, and
 * nothing may be written before that was seen. Throws TransferError.
 */
export async function* readExport(chunks: AsyncIterable<Buffer>, keys: ExportKeys): AsyncGenerator<KeyLine> {
  const mac = createHmac("sha256", keys.macKey);
  let hasHeader = false;
  let end: ExportEnd | undefined;
  let lines = 0;
  for await (const { number, bytes, isWhole } of splitLines(chunks, MAX_LINE_BYTES)) {
    if (end !== undefined) throw new TransferError(`line ${number} comes after the end of the export`);
    if (!isWhole) throw new TransferError(`the export is cut short: it ends in the middle of line ${number}`);
    const text = bytes.toString("utf8");
    const parsed = parseLine(text);
    if ("problem" in parsed) throw lineError(number, parsed.problem);
    const { entry } = parsed;
    if ("header" in entry !== (number === 1)) throw lineError(number, "no-line");
    if ("end" in entry) {
      end = entry.end;
      continue;
    }
    mac.update(text).update("\n");
    lines += 1;
    if ("header" in entry) checkHeader(entry.header, keys.pepperCheck);
    else if ("record" in entry) yield { number, ...entry, digest: digestOf(text, keys.macKey) };
    else yield { number, ...entry };
    hasHeader = true;
  }
  if (!hasHeader) throw new TransferError("the export is empty");
  if (end === undefined) throw new TransferError("the export is cut short: its last line is missing");
  const expected = mac.digest();
  const actual = Buffer.from(end.mac, "base64");
  const isSame = actual.length === expected.length && timingSafeEqual(actual, expected);
  if (end.lines !== lines || !isSame) {
    throw new TransferError("the export was edited: lines are missing, were added, changed or put in another order");
  }
}

function digestOf(text: string, macKey: Uint8Array): string {
  return createHmac("sha256", macKey).update(text).digest().toString("base64", 0, DIGEST_BYTES);
}

function checkHeader({ version, pepper_check: pepperCheck }: ExportHeader, expected: Uint8Array): void {
  if (version !== FORMAT_VERSION) {
    throw new TransferError(`the export has version ${version}, this release reads version ${FORMAT_VERSION}`);
  }
  if (Buffer.compare(Buffer.from(pepperCheck, "base64"), expected) === 0) return;
  throw new TransferError(
    "the export is of a service with another secrets.pepper; use the secrets of that service, for imported keys cannot be found with others",
  );
}

function lineError(number: number, problem: LineProblem): TransferError {
  return new TransferError(`line ${number} ${PROBLEMS[problem]}`);
}
