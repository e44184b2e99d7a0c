import { describe, expect, test } from "@jest/globals";
import { Query } from "mingo";
import { compileMongo } from "../../src/query/compile-mongo.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { documentFromSample, SAMPLE_MONGO_FIELDS, type SampleRecord } from "./sample-documents.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

const SCALARS = { $type: ["string", "number", "bool"] };
const NO_ARRAY = { $not: { $type: "array" } };

function compile(filter: string) {
  return compileMongo(checkFilter(filter, SAMPLE_FIELDS), SAMPLE_MONGO_FIELDS);
}

describe("a query is exact", () => {
  test.each([
    ["", {}],
    ["name = a", { name: { $in: ["a"] } }],
    ["actor_id != a", { actor: { $nin: [null, "a"] } }],
    ["NOT name = a", { $nor: [{ name: { $in: ["a"] } }] }],
    ["name > a", { name: { $gt: "a" } }],
    ['name = "a*"', { name: { $regex: "^a" } }],
    ['name = "*a"', { name: { $regex: "a(?![\\s\\S])" } }],
    ['name = "*a*"', { name: { $regex: "a" } }],
    ['name = "*"', { name: { $regex: "[\\s\\S]" } }],
    ['name != "a*"', { $and: [{ name: { $ne: null } }, { $nor: [{ name: { $regex: "^a" } }] }] }],
    ["name:*", { name: { $nin: [null, ""] } }],
    ["visibility = PUBLIC", { visibility: { $in: ["public"] } }],
    ["visibility:*", { visibility: { $nin: [null] } }],
    ['create_time > "1970-01-01T00:00:01Z"', { create_time: { $gt: new Date(1000) } }],
    ['create_time >= "1970-01-01T00:00:01.0001Z"', { create_time: { $gt: new Date(1000) } }],
    ['create_time < "1970-01-01T00:00:01.0001Z"', { create_time: { $lte: new Date(1000) } }],
    ['create_time = "1970-01-01T00:00:01Z"', { create_time: { $in: [new Date(1000)] } }],
    ['create_time = "1970-01-01T00:00:01.0001Z"', { create_time: { $in: [] } }],
    ['create_time != "1970-01-01T00:00:01.0001Z"', { create_time: { $nin: [null] } }],
    ["limit.window <= 1.5s", { "limit.window_ms": { $lte: 1500 } }],
    ["pinned = true", { pinned: { $in: [true] } }],
    ["scopes:read", { scopes: { $in: ["read"] } }],
    ["scopes:*", { scopes: { $type: "array", $not: { $size: 0 } } }],
    ["metadata:team", { "metadata.team": { $exists: true } }],
    ["metadata:*", { metadata: { $nin: [null, {}] } }],
    ["metadata.n = 42", { "metadata.n": { $in: ["42", 42], ...NO_ARRAY } }],
    ["metadata.n != 42", { "metadata.n": { $nin: [null, "42", 42], ...SCALARS, ...NO_ARRAY } }],
    ["metadata.a.b < 1", { "metadata.a": NO_ARRAY, "metadata.a.b": { $lt: 1, ...NO_ARRAY } }],
    [
      "metadata.a:*",
      {
        $or: [
          { "metadata.a": { $type: "array", $not: { $size: 0 } } },
          { "metadata.a": { ...NO_ARRAY, $nin: [null, "", {}] } },
        ],
      },
    ],
    ["name=a actor_id=b", { $and: [{ name: { $in: ["a"] } }, { actor: { $in: ["b"] } }] }],
    ["name=a OR actor_id=b", { $or: [{ name: { $in: ["a"] } }, { actor: { $in: ["b"] } }] }],
    [
      "NOT (name=a OR actor_id=b)",
      { $and: [{ $nor: [{ name: { $in: ["a"] } }] }, { $nor: [{ actor: { $in: ["b"] } }] }] },
    ],
    ["NOT (name=a AND NOT actor_id=b)", { $or: [{ $nor: [{ name: { $in: ["a"] } }] }, { actor: { $in: ["b"] } }] }],
  ])("of %j", (filter, query) => expect(compile(filter)).toEqual({ query, exact: true }));

  test("and of the negation of nothing finds nothing", () => {
    const nothing = { kind: "not", filter: checkFilter("", SAMPLE_FIELDS) } as const;
    expect(compileMongo(nothing, SAMPLE_MONGO_FIELDS)).toEqual({ query: { $nor: [{}] }, exact: true });
    expect(new Query(compileMongo(nothing, {}).query).test({})).toBe(false);
  });
});

describe("a query finds more than", () => {
  test.each([
    ["status = ACTIVE", {}],
    ["NOT status = ACTIVE", {}],
    ["visibility = SECRET", {}],
    ["visibility != SECRET", {}],
    ["name = a AND status = ACTIVE", { name: { $in: ["a"] } }],
    ["name = a OR status = ACTIVE", {}],
    ["NOT (name = a AND status = ACTIVE)", {}],
    ["NOT (name = a OR status = ACTIVE)", { $nor: [{ name: { $in: ["a"] } }] }],
    ["metadata.a:1", { $or: [{ "metadata.a": { $in: ["1", 1] } }, { "metadata.a.1": { $exists: true } }] }],
    ["NOT metadata.a:1", {}],
    ["metadata.a.b:*", { "metadata.a.b": { $exists: true } }],
  ])("%j", (filter, query) => expect(compile(filter)).toEqual({ query, exact: false }));

  test("what is nested too deep for a document", () => {
    const deep = `${"name=a OR (name=b AND (".repeat(14)}name=c${"))".repeat(14)}`;
    const { query, exact } = compile(deep);
    expect(exact).toBe(false);
    expect(JSON.stringify(query).split(/[[{]/).length - 1).toBeGreaterThan(40);
    expect(depthOf(query)).toBeLessThan(60);
    expect(new Query(query).test({ name: "a" })).toBe(true);
  });

  test("a field whose keys cannot be named", () => {
    const fields = { metadata: { path: "metadata", escapeKey: (key: string) => key } };
    const compileKey = (key: string) => compileMongo(checkFilter(`metadata.${key} = x`, SAMPLE_FIELDS), fields);
    for (const key of ["$where", '"a.b"', '""', '"a\\x00"'])
      expect(compileKey(key)).toEqual({ query: {}, exact: false });
    expect(compileKey("a$").exact).toBe(true);
    const unmapped = compileMongo(checkFilter("metadata.a = x", SAMPLE_FIELDS), { metadata: { path: "metadata" } });
    expect(unmapped).toEqual({ query: {}, exact: false });
  });
});

describe("what looks like an operator", () => {
  test.each([
    ['actor_id="{$ne: null}"', { actor: { $in: ["{$ne: null}"] } }],
    ['actor_id="$where"', { actor: { $in: ["$where"] } }],
    ["actor_id=$ne", { actor: { $in: ["$ne"] } }],
    ["actor_id=__proto__", { actor: { $in: ["__proto__"] } }],
    ['name="a.b"', { name: { $in: ["a.b"] } }],
    ['name="a\\x00b"', { name: { $in: ["a\0b"] } }],
    ["metadata.$where = x", { "metadata.%24where": { $in: ["x"], ...NO_ARRAY } }],
    ['metadata:"$where"', { "metadata.%24where": { $exists: true } }],
    ['metadata."a.$b" = x', { "metadata.a%2E%24b": { $in: ["x"], ...NO_ARRAY } }],
    ["metadata.__proto__ = x", { "metadata.%5F_proto__": { $in: ["x"], ...NO_ARRAY } }],
    ['metadata."a\\x00" = x', { "metadata.a%00": { $in: ["x"], ...NO_ARRAY } }],
    ['metadata:""', { "metadata.%": { $exists: true } }],
  ])("is a value or a name: %j", (filter, query) => expect(compile(filter)).toEqual({ query, exact: true }));

  test.each([".*", "a|b", "(a", "[a]", "a{2}", "^a$", "a\\", "a\nb", "a\0b", "a-b#c/d", "?+", "\u{1F600}"])(
    "in a regular expression is a text: %j",
    (text) => {
      const { query } = compile(`name = "${[...text].map(escaped).join("")}*"`);
      const finds = (record: SampleRecord) => new Query(query).test(documentFromSample(record));
      expect(JSON.stringify(query)).not.toContain("\\u0000");
      expect(finds({ name: `${text}\n` })).toBe(true);
      expect(finds({ name: `x${text}` })).toBe(false);
      expect(finds({ name: "aab" })).toBe(false);
    },
  );

  test("a line feed at the end is part of the text", () => {
    const finds = (name: string) => new Query(compile('name = "*a"').query).test({ name });
    expect([finds("ba"), finds("ba\n")]).toEqual([true, false]);
  });
});

/** As an escape of the filter language. */
function escaped(character: string): string {
  return `\\U${character.codePointAt(0)?.toString(16).padStart(8, "0")}`;
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
