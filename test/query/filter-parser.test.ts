import { describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import { parseFilterText } from "../../src/query/filter-parser.js";
import { filterShape } from "./filter-shape.js";

function shape(filter: string): unknown {
  const { expression } = parseFilterText(filter);
  return expression && filterShape(expression);
}

function describeError(filter: string): { reason: string; message: string; fields: unknown } {
  try {
    parseFilterText(filter);
  } catch (error) {
    if (error instanceof ServiceError) return { reason: error.reason, message: error.message, fields: error.fields };
    throw error;
  }
  throw new Error(`${filter} was taken`);
}

describe("precedence", () => {
  test.each([
    ["a b OR c", ["sequence", ["text", "a"], ["or", ["text", "b"], ["text", "c"]]]],
    ["a b AND c", ["and", ["sequence", ["text", "a"], ["text", "b"]], ["text", "c"]]],
    ["a AND b OR c", ["and", ["text", "a"], ["or", ["text", "b"], ["text", "c"]]]],
    ["NOT a OR b", ["or", ["not", ["text", "a"]], ["text", "b"]]],
    ["-a b", ["sequence", ["not", ["text", "a"]], ["text", "b"]]],
    ["a -b", ["sequence", ["text", "a"], ["not", ["text", "b"]]]],
    ["a-b", ["text", "a-b"]],
    ["(a AND b) OR c", ["or", ["and", ["text", "a"], ["text", "b"]], ["text", "c"]]],
  ])("of %j", (filter, expected) => expect(shape(filter)).toEqual(expected));
});

describe("a value", () => {
  test.each([
    ["a = -2.5", ["equals", ["text", "a"], ["float", -2.5]]],
    ["a = (-2.5)", ["equals", ["text", "a"], ["float", -2.5]]],
    ["a=b.c", ["equals", ["text", "a"], ["member", ["text", "b"], "c"]]],
    ['a="AND"', ["equals", ["text", "a"], ["string", "AND"]]],
    [
      "a=f(x, -1, (b c))",
      [
        "equals",
        ["text", "a"],
        ["function", "f", ["text", "x"], ["int", -1], ["sequence", ["text", "b"], ["text", "c"]]],
      ],
    ],
    ['a."b.c".AND = x', ["equals", ["member", ["member", ["text", "a"], "b.c"], "AND"], ["text", "x"]]],
    ["a = '\"\\'' ", ["equals", ["text", "a"], ["string", "\"'"]]],
    ["a = '\\x41\\U0001F600'", ["equals", ["text", "a"], ["string", "A😀"]]],
  ])("of %j", (filter, expected) => expect(shape(filter)).toEqual(expected));

  test("has the places of its stars that are not escaped", () => {
    const { expression } = parseFilterText('a = "*\\*\\x2a\\u263Ab*"');
    expect(expression).toMatchObject({ right: { parts: [{ text: "***☺b*", stars: [0, 5] }] } });
  });
});

test.each([
  ["a =", 4, "expected a value"],
  ["a == b", 4, "expected a value"],
  ["= b", 1, "expected a field name"],
  ["a AND", 6, "expected a field name"],
  ["a AND AND b", 7, 'expected a field name; the text "AND" goes in quotes'],
  ["a = AND", 5, 'expected a value; the text "AND" goes in quotes'],
  ["NOT = true", 5, "expected a field name"],
  ["NOT NOT a", 5, "expected a term; it is negated already"],
  ["--a", 2, "expected a term; it is negated already"],
  ['NOT"a"', 4, "expected a space"],
  ["- a", 1, 'expected a term right after "-"'],
  ["a = -b", 5, 'a value that begins with "-" is a number, or goes in quotes'],
  ["a = -1(b)", 5, "a function cannot be negated here"],
  ["a ! b", 3, 'unexpected "!"; not equal is !=, and a negation is NOT or -'],
  ["a:b:c", 4, 'a second comparison; a value that holds ":" goes in quotes'],
  ["t > 2026-01-31T12:00:00Z", 18, 'a second comparison; a value that holds ":" goes in quotes'],
  ["(a) = b", 5, "a comparison begins with a field, not with parentheses"],
  ["(a", 3, 'expected ")"'],
  ["a)", 2, '")" without "("'],
  ["a, b", 2, 'unexpected ","'],
  ["()", 2, 'expected a term between "(" and ")"'],
  ["(a)(b)", 4, 'expected a space, "AND" or "OR"'],
  ['a="b"c', 6, 'expected a space, "AND" or "OR"'],
  ["(a)OR b", 4, "expected a space"],
  ['a OR"b"', 5, "expected a space"],
  ["a. = b", 4, 'expected a name right after "."'],
  ["a. b", 4, 'expected a name right after "."'],
  ["f(a,)", 5, "expected an argument"],
  ["f(a = b)", 5, 'unexpected "=" in the arguments of "f"'],
  ["f(a", 4, 'expected ")"'],
  ['"f"(a)', 1, "the name of a function has no quotes"],
  ['a = "b', 5, 'the string that begins here has no closing "'],
  ["a = 'b\"", 5, "the string that begins here has no closing '"],
  ['a = "b\\', 5, 'the string that begins here has no closing "'],
  ['a = "\\q"', 6, "unknown escape; a backslash is written \\\\"],
  ['a = "\\u12"', 6, "unknown escape; a backslash is written \\\\"],
  ['a = "\\ud83d\\ude00"', 6, "the escape is no character of Unicode"],
  ['a = "\\U00110000"', 6, "the escape is no character of Unicode"],
  ['a = "😀" b =', 12, "expected a value"],
])("%j is refused with the column", (filter, column, problem) => {
  const description = `column ${column}: ${problem}`;
  expect(describeError(filter)).toEqual({
    reason: "INVALID_FILTER",
    message: `filter: ${description}\n${filter}\n${" ".repeat(column - 1)}^`,
    fields: [{ field: "filter", description }],
  });
});

test.each([
  ["a = b\u0000c", 6, "unexpected character U+0000; values that hold it go in quotes", "a = b c"],
  ["a\u00a0= b", 2, "unexpected character U+00A0; values that hold it go in quotes", "a\u00a0= b"],
  ['a = "\ud800"', 6, "half a character", 'a = " "'],
  ["a =\n  b OR\n", 12, "expected a field name", "a =   b OR "],
])("%j is shown on one line", (filter, column, problem, shown) => {
  expect(describeError(filter).message).toBe(
    `filter: column ${column}: ${problem}\n${shown}\n${" ".repeat(column - 1)}^`,
  );
});

test("a long filter is shown around the column, which counts code points", () => {
  const filter = `${"a=😀 ".repeat(20)}b=)${" a=é".repeat(20)}`;
  const column = 20 * 4 + 3;
  const shown = [...filter].slice(column - 61, column + 59).join("");
  expect(describeError(filter).message).toBe(
    `filter: column ${column}: expected a value\n${shown}\n${" ".repeat(60)}^`,
  );
});

describe("a limit", () => {
  test("is 4 KiB of UTF-8", () => {
    const filter = (bytes: number) => `a="${"é".repeat((bytes - 4) / 2)}"`;
    expect(shape(filter(4096))).toBeDefined();
    expect(describeError(filter(4098)).message).toBe("filter: must be at most 4096 bytes");
  });

  test("is 64 terms", () => {
    const filter = (terms: number) => Array.from({ length: terms }, () => "a=b").join(" ");
    expect(shape(filter(64))).toBeDefined();
    expect(describeError(filter(65)).message).toMatch(/^filter: column 257: more than 64 terms\n/);
  });

  test("is 32 parentheses within each other", () => {
    const filter = (depth: number) => `${"(".repeat(depth)}a${")".repeat(depth)}`;
    expect(shape(filter(32))).toEqual(["text", "a"]);
    expect(shape("(a) ".repeat(40))).toHaveLength(41);
    expect(describeError(filter(33)).message).toMatch(
      /^filter: column 33: more than 32 parentheses within each other\n/,
    );
    expect(describeError("(".repeat(4000)).message).toMatch(/^filter: column 33: more than 32 parentheses within/);
    expect(describeError("f(".repeat(1000)).message).toMatch(/^filter: column 66: more than 32 parentheses within/);
    expect(describeError("(".repeat(10_000)).message).toBe("filter: must be at most 4096 bytes");
  });
});

test.each(["", "  ", " \t\r\n"])("%j says nothing", (filter) =>
  expect(parseFilterText(filter)).toEqual({ text: filter }),
);
