import { TransferError } from "./transfer-error.js";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without the line feed. */
  readonly bytes: Buffer;
  /** Of the byte after the line feed. */
  readonly end: number;
  /** Whether it ends with a line feed; the last line of a file may not. */
  readonly isWhole: boolean;
}

const LINE_FEED = 0x0a;

/**
 * The lines of a file, at the line feeds only: JSON text may hold the other line breaks that `node:readline` splits at. Throws
 * TransferError for a line of more than `maxBytes`, so that no file fills the memory.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let partBytes = 0;
  let number = 1;
  let end = 0;
  const take = (part: Buffer) => {
    parts.push(part);
    partBytes += part.length;
    if (partBytes > maxBytes) throw new TransferError(`line ${number} is longer than ${maxBytes} bytes`);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      take(chunk.subarray(start, at));
      end += partBytes + 1;
      yield { number, bytes: Buffer.concat(parts), end, isWhole: true };
      number += 1;
      parts = [];
      partBytes = 0;
      start = at + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (partBytes > 0) yield { number, bytes: Buffer.concat(parts), end: end + partBytes, isWhole: false };
}
