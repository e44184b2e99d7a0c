import { describe, expect, test } from "@jest/globals";
import { asShown, linesAsShown } from "./as-shown.js";

describe("JSON is as it is shown", () => {
  test.each([
    { actual: { a: 1, b: 2 }, expected: { a: 1 } },
    { actual: { id: "lk_v1_x" }, expected: { id: "lk_v1_..." } },
    { actual: [{ a: 1, b: 2 }], expected: [{ a: 1 }] },
    { actual: {}, expected: {} },
  ])("$actual as $expected", ({ actual, expected }) => {
    expect(asShown(actual, expected)).toEqual(expected);
  });

  test.each([
    { actual: { a: 2, b: 2 }, expected: { a: 1 } },
    { actual: { b: 2 }, expected: { a: 1 } },
    { actual: { id: "lk_v1_" }, expected: { id: "lk_v1_..." } },
    { actual: [1, 2], expected: [1] },
    { actual: { a: 1 }, expected: {} },
  ])("$actual is not $expected", ({ actual, expected }) => {
    expect(asShown(actual, expected)).not.toEqual(expected);
  });
});

describe("lines are as they are shown", () => {
  test.each([
    { actual: "a\nb\n", expected: "a\nb\n" },
    { actual: "a   \n", expected: "a\n" },
    { actual: "id  x1  y\n", expected: "id  ...  y\n" },
    { actual: "a (1)?\n", expected: "a (1)?\n" },
    { actual: "1\n2\nend\n", expected: "...\nend\n" },
    { actual: "end\n", expected: "...\nend\n" },
  ])("$actual as $expected", ({ actual, expected }) => {
    expect(linesAsShown(actual, expected)).toBe(expected);
  });

  test.each([
    { actual: "a\nb\n", expected: "a\n" },
    { actual: "a\n", expected: "a\nb\n" },
    { actual: "ab\n", expected: "a\n" },
    { actual: "id\n", expected: "id...\n" },
    { actual: "xend\n", expected: "...\nend\n" },
    { actual: "axb\n", expected: "a.b\n" },
  ])("$actual is not $expected", ({ actual, expected }) => {
    expect(linesAsShown(actual, expected)).toBe(actual);
  });
});
