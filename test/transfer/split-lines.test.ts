import { expect, test } from "@jest/globals";
import { type Line, splitLines } from "../../src/transfer/split-lines.js";
import { TransferError } from "../../src/transfer/transfer-error.js";

async function* inChunks(text: string, bytes: number): AsyncGenerator<Buffer> {
  const all = Buffer.from(text);
  for (let start = 0; start < all.length; start += bytes) yield all.subarray(start, start + bytes);
}

async function split(text: string, chunkBytes: number, maxBytes = 100) {
  const lines: Line[] = [];
  for await (const line of splitLines(inChunks(text, chunkBytes), maxBytes)) lines.push(line);
  return lines.map(({ bytes, ...line }) => ({ ...line, text: bytes.toString() }));
}

test.each([1, 2, 3, 7, 1000])("lines end at line feeds only, in chunks of %d bytes", async (chunkBytes) => {
  expect(await split("a\u2028b\r\n\n🔑\nrest", chunkBytes)).toEqual([
    { number: 1, text: "a\u2028b\r", end: 7, isWhole: true },
    { number: 2, text: "", end: 8, isWhole: true },
    { number: 3, text: "🔑", end: 13, isWhole: true },
    { number: 4, text: "rest", end: 17, isWhole: false },
  ]);
});

test("nothing has no lines, and a line feed at the end begins none", async () => {
  expect(await split("", 5)).toEqual([]);
  expect(await split("a\n", 5)).toHaveLength(1);
});

test.each([1, 100])("a line that is too long is refused, in chunks of %d bytes", async (chunkBytes) => {
  expect(await split("a\n12345\n", chunkBytes, 5)).toHaveLength(2);
  const error = await split("a\n123456\n", chunkBytes, 5).catch((reason: unknown) => reason);
  expect(error).toEqual(new TransferError("line 2 is longer than 5 bytes"));
});
