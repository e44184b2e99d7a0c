import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, test } from "@jest/globals";
import { forwardLines } from "../../src/cli/forward-lines.js";

async function forward(chunks: readonly (string | Uint8Array)[]): Promise<string[]> {
  const stream = new PassThrough();
  const written: string[] = [];
  forwardLines(stream, (lines) => written.push(lines));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return written;
}

test.each([
  ["lines that come together", ["a\nb\n"], ["a\nb\n"]],
  ["a line in pieces", ["on", "e", " line\n"], ["one line\n"]],
  ["the end of one line and the beginning of the next", ["a", "b\nc", "d\n"], ["ab\n", "cd\n"]],
  ["nothing of a line that never ended", ["a\nb"], ["a\n"]],
  ["a character in two pieces", [Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)], ["é\n"]],
])("%s", async (_, chunks, expected) => {
  expect(await forward(chunks)).toEqual(expected);
});
