import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { compareCodePoints } from "../../src/query/compare-code-points.js";

test.each([
  ["", "a", -1],
  ["a", "ab", -1],
  ["B", "a", -1],
  ["a", "á", -1],
  ["\uff5e", "😀", -1],
  ["\ud7ff", "😀", -1],
  ["😀", "😁", -1],
  ["a", "a", 0],
])("%j and %j", (a, b, order) => {
  expect(Math.sign(compareCodePoints(a, b))).toBe(order);
  expect(Math.sign(compareCodePoints(b, a))).toBe(order === 0 ? 0 : -order);
});

test("the order is that of UTF-8", () => {
  const text = fc.string({ unit: "binary", maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { seed: 14, numRuns: 5_000 },
  );
});
