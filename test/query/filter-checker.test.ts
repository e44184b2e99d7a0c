import { describe, expect, test } from "@jest/globals";
import { ServiceError } from "../../src/errors.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

const NAMES = SAMPLE_FIELDS.map(({ path }) => path).join(", ");
const TIME_FORM = 'expected a time of RFC 3339 in quotes, such as "2026-01-31T12:00:00Z"';

function check(filter: string) {
  return checkFilter(filter, SAMPLE_FIELDS);
}

/** A condition without its field but for the name of it. */
function condition(filter: string) {
  const checked = check(filter);
  if (!("field" in checked)) throw new Error(`${filter} is no condition`);
  const { field, path, ...rest } = checked;
  return { field: [field.path, ...path], ...rest };
}

describe("a condition", () => {
  test.each([
    ["name = a", { field: ["name"], kind: "equals", values: ["a"], isNegated: false }],
    ["name != 2.5", { field: ["name"], kind: "equals", values: ["2.5"], isNegated: true }],
    ["name:a", { field: ["name"], kind: "equals", values: ["a"], isNegated: false }],
    ['name:"a*"', { field: ["name"], kind: "equals", values: ["a*"], isNegated: false }],
    ["name = a*", { field: ["name"], kind: "equals", values: ["a*"], isNegated: false }],
    ['name = "a\\*"', { field: ["name"], kind: "equals", values: ["a*"], isNegated: false }],
    ['name < "a*"', { field: ["name"], kind: "order", operator: "<", value: "a*" }],
    ["name >= -1", { field: ["name"], kind: "order", operator: ">=", value: "-1" }],
    ['"name" = a', { field: ["name"], kind: "equals", values: ["a"], isNegated: false }],
    ["name:*", { field: ["name"], kind: "present" }],
    ['name:"*"', { field: ["name"], kind: "present" }],
    ['name:"\\*"', { field: ["name"], kind: "equals", values: ["*"], isNegated: false }],
    ["status = ACTIVE", { field: ["status"], kind: "equals", values: ["ACTIVE"], isNegated: false }],
    ['status != "REVOKED"', { field: ["status"], kind: "equals", values: ["REVOKED"], isNegated: true }],
    ["pinned = true", { field: ["pinned"], kind: "equals", values: [true], isNegated: false }],
    ["limit.quota = -1.5e3", { field: ["limit.quota"], kind: "equals", values: [-1500], isNegated: false }],
    ["limit.quota = -0", { field: ["limit.quota"], kind: "equals", values: [0], isNegated: false }],
    ["limit.window < 1.2s", { field: ["limit.window"], kind: "order", operator: "<", value: 1200 }],
    ['limit.window >= "-4.35s"', { field: ["limit.window"], kind: "order", operator: ">=", value: -4350 }],
    ['create_time > "1970-01-01T00:00:01.5Z"', { field: ["create_time"], kind: "order", operator: ">", value: 1500 }],
    ["create_time:*", { field: ["create_time"], kind: "present" }],
    ["scopes:read", { field: ["scopes"], kind: "has", values: ["read"], key: "read" }],
    ["scopes:42", { field: ["scopes"], kind: "has", values: ["42"], key: "42" }],
    ["scopes:*", { field: ["scopes"], kind: "present" }],
    ["metadata:team", { field: ["metadata"], kind: "has", values: ["team"], key: "team" }],
    ["metadata.team:*", { field: ["metadata", "team"], kind: "present" }],
    ["metadata.n = 42", { field: ["metadata", "n"], kind: "equals", values: ["42", 42], isNegated: false }],
    ['metadata.n = "42"', { field: ["metadata", "n"], kind: "equals", values: ["42"], isNegated: false }],
    ["metadata.n = true", { field: ["metadata", "n"], kind: "equals", values: ["true", true], isNegated: false }],
    ["metadata.n < 42", { field: ["metadata", "n"], kind: "order", operator: "<", value: 42 }],
    ["metadata.n < b", { field: ["metadata", "n"], kind: "order", operator: "<", value: "b" }],
    ['metadata.n < "42"', { field: ["metadata", "n"], kind: "order", operator: "<", value: "42" }],
    ['metadata."a.b".AND = x', { field: ["metadata", "a.b", "AND"], kind: "equals", values: ["x"], isNegated: false }],
    ["metadata.__proto__:*", { field: ["metadata", "__proto__"], kind: "present" }],
  ])("of %j", (filter, expected) => expect(condition(filter)).toEqual(expected));

  test.each([
    ['"a*"', { text: "a", isOpenBefore: false, isOpenAfter: true }],
    ['"*a"', { text: "a", isOpenBefore: true, isOpenAfter: false }],
    ['"*a*"', { text: "a", isOpenBefore: true, isOpenAfter: true }],
    ['"*\\**"', { text: "*", isOpenBefore: true, isOpenAfter: true }],
    ['"*"', { text: "", isOpenBefore: true, isOpenAfter: true }],
    ['"**"', { text: "", isOpenBefore: true, isOpenAfter: true }],
  ])("with wildcards: %s", (literal, pattern) => {
    expect(condition(`name = ${literal}`)).toEqual({ field: ["name"], kind: "matches", pattern, isNegated: false });
    expect(condition(`metadata.a != ${literal}`)).toMatchObject({ kind: "matches", pattern, isNegated: true });
  });
});

test("lists of a kind become one", () => {
  expect(check("name=a (name=b AND name=c) AND (name=d OR (name=e OR name=f))")).toMatchObject({
    kind: "and",
    filters: [
      { values: ["a"] },
      { values: ["b"] },
      { values: ["c"] },
      { kind: "or", filters: [{ values: ["d"] }, { values: ["e"] }, { values: ["f"] }] },
    ],
  });
  expect(check("")).toEqual({ kind: "and", filters: [] });
  expect(check("NOT name=a")).toMatchObject({ kind: "not", filter: { values: ["a"] } });
});

test.each([
  ["foo = 1", 1, `"foo" cannot be filtered on; what can is ${NAMES}`],
  ["limit = 1", 1, `"limit" cannot be filtered on; what can is ${NAMES}`],
  ['"limit.quota" = 1', 1, `"limit.quota" cannot be filtered on; what can is ${NAMES}`],
  ["__proto__ = 1", 1, `"__proto__" cannot be filtered on; what can is ${NAMES}`],
  ["constructor.name = 1", 1, `"constructor.name" cannot be filtered on; what can is ${NAMES}`],
  ["2.5 = name", 1, `"2.5" cannot be filtered on; the field is on the left of its value; what can is ${NAMES}`],
  ["name.$where = x", 6, "name is a string and has nothing within it"],
  [
    "scopes.0 = x",
    8,
    "scopes is a list of strings and has nothing within it; what it holds is asked for as scopes:value",
  ],
  ["status < ACTIVE", 8, '"<" does not apply to status, an enum; what does is = != :'],
  ["pinned > true", 8, '">" does not apply to pinned, a bool; what does is = != :'],
  ["scopes = read", 8, '"=" does not apply to scopes, a list of strings; what does is :'],
  ["metadata != x", 10, '"!=" does not apply to metadata, a struct; what does is :, and anything to metadata.<key>'],
  ["status = active", 10, '"active" is no value of status, an enum: expected one of ACTIVE, REVOKED'],
  ['status = "*"', 10, '"*" is no value of status, an enum: expected one of ACTIVE, REVOKED'],
  ["pinned = True", 10, '"True" is no value of pinned, a bool: expected true or false, without quotes'],
  ['pinned = "true"', 10, '"true" is no value of pinned, a bool: expected true or false, without quotes'],
  ['limit.quota = "1"', 15, '"1" is no value of limit.quota, a number: expected a number without quotes'],
  ["limit.quota > NaN", 15, '"NaN" is no value of limit.quota, a number: expected a number without quotes'],
  ["limit.quota > 1e999", 15, '"1e999" is no value of limit.quota, a number: expected a number without quotes'],
  ["limit.window = 20", 16, '"20" is no value of limit.window, a duration: expected seconds, such as 20s or 1.5s'],
  ["create_time > 2026-01-31", 15, `"2026-01-31" is no value of create_time, a timestamp: ${TIME_FORM}`],
  ["create_time:2026", 13, 'after ":", create_time takes * only, as it is a timestamp'],
  ["limit.window:20s", 14, 'after ":", limit.window takes * only, as it is a duration'],
  ['name = "a*b"', 8, 'a "*" is a wildcard at the ends of a string only; the character itself is \\*'],
  ['name = "a"."b"', 8, "expected a text without quotes, or one quoted string"],
  ["name = (a OR b)", 9, "expected one value; several are compared one by one: a = x OR a = y"],
  ["name = (NOT a)", 9, "expected one value; several are compared one by one: a = x OR a = y"],
  ["name", 1, '"name" is compared with nothing; write name = value'],
  ["NOT (key OR x)", 6, '"key" is compared with nothing; write field = value'],
  ["-30", 1, '"-30" is compared with nothing; write field = value'],
  ["now()", 1, 'there is no function "now"; write the value itself'],
  ["name = f.g(x)", 8, 'there is no function "f.g"; write the value itself'],
  ["f(x) = name", 1, 'there is no function "f"; write the value itself'],
  ["NOT(name = a)", 10, 'unexpected "=" in the arguments of "NOT"; after NOT as an operator comes a space'],
  ["NOT(name)", 1, 'there is no function "NOT"; after NOT as an operator comes a space'],
  ["name = a AND(b)", 10, 'there is no function "AND"; after AND as an operator comes a space'],
])("%j is refused with the column", (filter, column, problem) => {
  const message = `filter: column ${column}: ${problem}\n${filter}\n${" ".repeat(column - 1)}^`;
  expect(() => check(filter)).toThrow(new ServiceError("INVALID_FILTER", message));
});

test("a path in a struct has at most 32 names", () => {
  const path = (names: number) => `metadata${".a".repeat(names)}:*`;
  expect(condition(path(32)).field).toHaveLength(33);
  expect(() => check(path(33))).toThrow("filter: column 74: more than 32 names in metadata\n");
});

test("a long name is cut where an error says it", () => {
  expect(() => check(`${"n".repeat(3000)} = 1`)).toThrow(`"${"n".repeat(63)}…" cannot be filtered on; what can is`);
});
