import { expect, test } from "@jest/globals";
import { formatProgress } from "../../src/transfer/progress-line.js";

test.each([
  [{ done: 0, total: 100, doneNow: 0, elapsedMs: 0 }, "[>                       ]   0%  0/100  0/s"],
  [
    { done: 25_000, total: 100_000, doneNow: 25_000, elapsedMs: 5_000 },
    "[======>                 ]  25%  25000/100000  5000/s  0:15 left",
  ],
  [{ done: 50, total: 100, doneNow: 10, elapsedMs: 20_000 }, "[============>           ]  50%  50/100  1/s  1:40 left"],
  [
    { done: 100, total: 100, doneNow: 100, elapsedMs: 1_000 },
    "[========================] 100%  100/100  100/s  0:00 left",
  ],
  [{ done: 0, total: 0, doneNow: 0, elapsedMs: 0 }, "[========================] 100%  0/0  0/s"],
])("%j", (progress, line) => {
  expect(formatProgress(progress)).toBe(line);
});
