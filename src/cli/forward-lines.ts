import type { Readable } from "node:stream";

/**
 * Hands whole lines on, so that those of several processes do not mix: a pipe keeps no more than 4 KiB together. What a process
 * that was killed left of a line is dropped.
 */
export function forwardLines(stream: Readable, write: (lines: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) write(rest + text.slice(0, end));
    rest = end > 0 ? text.slice(end) : rest + text;
  });
}
