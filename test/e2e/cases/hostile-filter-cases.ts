/** Filters that mean something to a database, a language or a parser: each is a literal, or an error that says where. */
import { expect } from "@jest/globals";
import { type Api, invalid } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { FILTERABLE, wrongFilters } from "./wrong-filters.js";

/** Values that a key really has; a filter for one finds that key, and no other of these. */
const HOSTILE_TEXTS = [
  "{$ne: null}",
  '{"$gt": ""}',
  "$where",
  "'; return true; //",
  '" OR name:"*',
  "' || '1'=='1",
  "^.*$",
  "(a+)+$",
  "[a-z]*",
  ".",
  "a.b",
  "axb",
  "\\",
  "\\x41",
  "%00",
  "a",
  "a\0",
  "a\0b",
  "\n",
  "\u2028",
  "*",
  "**",
  "__proto__",
  "constructor",
  "null",
  "true",
  "Å",
  "A\u030a",
  "＂",
];

const HOSTILE_METADATA: readonly JsonObject[] = [
  { $where: "1" },
  { $ne: null },
  { "a.b": "x" },
  { a: { b: "x" } },
  { a: { $b: "x" } },
  { "": { "": "x" } },
  { "nul\0": "x" },
  { constructor: "x" },
  { toString: { name: "x" } },
  { $or: [{ a: 1 }] },
  { plain: "x" },
];

export const hostileFilterCases: readonly Case[] = [
  {
    name: "takes a text in quotes for that text, whatever it means elsewhere",
    run: async ({ api, actorId }) => {
      for (const name of HOSTILE_TEXTS) await api.issue({ actor_id: actorId, name });
      for (const name of HOSTILE_TEXTS) {
        expect([name, await namesOf(api, `actor_id="${actorId}" AND name=${quoted(name)}`)]).toEqual([name, [name]]);
      }
      const others = await namesOf(api, `actor_id="${actorId}" AND name!=${quoted("{$ne: null}")}`);
      expect(others.sort()).toEqual(HOSTILE_TEXTS.filter((name) => name !== "{$ne: null}").sort());
    },
  },
  {
    name: "knows a wildcard at the ends, and no other pattern",
    run: async ({ api, actorId }) => {
      for (const name of HOSTILE_TEXTS) await api.issue({ actor_id: actorId, name });
      const find = async (literal: string) => (await namesOf(api, `actor_id="${actorId}" AND name=${literal}`)).sort();
      expect(await find('"a.*"')).toEqual(["a.b"]);
      expect(await find('"a\\x00*"')).toEqual(["a\0", "a\0b"]);
      expect(await find('"*$"')).toEqual(["(a+)+$", "^.*$"]);
      expect(await find('"\\*"')).toEqual(["*"]);
      expect(await find('"\\**"')).toEqual(["*", "**"]);
      for (const pattern of ['".+"', '"a?b"', '"a%"', '"_"', '"/a/i"', '"(?i)AXB"', '""']) {
        expect([pattern, await find(pattern)]).toEqual([pattern, []]);
      }
    },
  },
  {
    name: "compares an actor with a text only: no operator, no other type, no other key",
    run: async ({ api, actorId }) => {
      await api.issue({ actor_id: actorId, name: "decoy" });
      const actor = `${actorId} {$ne: null}`;
      await api.issue({ actor_id: actor, name: "wanted" });
      expect(await namesOf(api, `actor_id="${actor}"`)).toEqual(["wanted"]);
      for (const literal of [
        '"{$ne: null}"',
        '"{\\"$ne\\": null}"',
        '"/.\\*/"',
        "{$ne}",
        "x;drop",
        "1||1",
        '"$exists"',
        "null",
        "true",
        '"\\x00"',
      ]) {
        expect([literal, await namesOf(api, `actor_id=${literal}`)]).toEqual([literal, []]);
      }
    },
  },
  {
    name: "finds its way in metadata by names, whatever they mean elsewhere",
    run: async ({ api, actorId }) => {
      const names = HOSTILE_METADATA.map((metadata) => JSON.stringify(metadata));
      for (const [index, metadata] of HOSTILE_METADATA.entries()) {
        await api.issue({ actor_id: actorId, name: names[index] ?? "", metadata });
      }
      const find = (condition: string) => namesOf(api, `actor_id="${actorId}" AND ${condition}`);
      expect(await find('metadata.$where="1"')).toEqual(['{"$where":"1"}']);
      expect(await find("metadata.$ne:*")).toEqual([]);
      expect(await find("metadata:$ne")).toEqual(['{"$ne":null}']);
      expect(await find('metadata."a.b"=x')).toEqual(['{"a.b":"x"}']);
      expect(await find("metadata.a.b=x")).toEqual(['{"a":{"b":"x"}}']);
      expect(await find("metadata.a.$b=x")).toEqual(['{"a":{"$b":"x"}}']);
      expect(await find('metadata."".""=x')).toEqual(['{"":{"":"x"}}']);
      expect(await find('metadata."nul\\x00"=x')).toEqual(['{"nul\\u0000":"x"}']);
      expect(await find("metadata.nul:*")).toEqual([]);
      expect(await find("metadata.constructor:*")).toEqual(['{"constructor":"x"}']);
      expect(await find("metadata.toString.name=x")).toEqual(['{"toString":{"name":"x"}}']);
      expect(await find("metadata.$or.0.a=1")).toEqual([]);
      expect(await find("metadata.$or:*")).toEqual(['{"$or":[{"a":1}]}']);
      const nothing = [
        'metadata.$where="sleep(10000) || true"',
        'metadata.$expr="1"',
        'metadata.plain="{$ne: 1}"',
        "metadata.plain.$ne=1",
        'metadata.plain.$regex=".*"',
        "metadata.__proto__:*",
        "metadata.__proto__.constructor:*",
        "metadata.hasOwnProperty:*",
        "metadata.plain.length:*",
        "metadata.plain.0:*",
        "metadata:__proto__",
        "metadata:valueOf",
      ];
      for (const condition of nothing) expect([condition, await find(condition)]).toEqual([condition, []]);
    },
  },
  ...wrongFilters([
    ["$where=1", 1, `"$where" cannot be filtered on; ${FILTERABLE}`],
    ["__proto__=1", 1, `"__proto__" cannot be filtered on; ${FILTERABLE}`],
    ["hasOwnProperty:*", 1, `"hasOwnProperty" cannot be filtered on; ${FILTERABLE}`],
    ["tenant_id=x", 1, `"tenant_id" cannot be filtered on; ${FILTERABLE}`],
    ["secret_hash:*", 1, `"secret_hash" cannot be filtered on; ${FILTERABLE}`],
    ["metadata[$ne]=1", 1, `"metadata[$ne]" cannot be filtered on; ${FILTERABLE}`],
    ['"metadata.a"=1', 1, `"metadata.a" cannot be filtered on; ${FILTERABLE}`],
    ["actor_id.$ne=x", 10, "actor_id is a string and has nothing within it"],
    ["name.__proto__=x", 6, "name is a string and has nothing within it"],
    ["metadata..a=1", 10, 'expected a name right after "."'],
    ["metadata.=1", 10, 'expected a name right after "."'],
    [".metadata=1", 1, "expected a field name"],
    ['name={"$ne":null}', 7, 'expected a space, "AND" or "OR"'],
    ["name=a\0b", 7, "unexpected character U+0000; values that hold it go in quotes"],
    ["name=a\u00a0b", 7, "unexpected character U+00A0; values that hold it go in quotes"],
    ['name="\\d+"', 7, "unknown escape; a backslash is written \\\\"],
    ['name="\\ud800"', 7, "the escape is no character of Unicode"],
    ['name="a*b"', 6, 'a "*" is a wildcard at the ends of a string only; the character itself is \\*'],
    ["regex(name)", 1, 'there is no function "regex"; write the value itself'],
    ["$where()", 1, 'there is no function "$where"; write the value itself'],
    ["name=a OR", 10, "expected a field name"],
    ["name=a)", 7, '")" without "("'],
  ]),
  {
    name: "refuses more parentheses than it takes, and says where",
    run: async ({ api }) => {
      const refusal = async (filter: string) => {
        const { reason, fields } = await api.refusal("AdminListIssuedApiKeys", { filter });
        return [reason, ...fields];
      };
      const invalidFilter = (description: string) => ["INVALID_FILTER", { field: "filter", description }];
      const tooMany = "column 33: more than 32 parentheses within each other";
      expect(await refusal(`${"(".repeat(33)}name=a${")".repeat(33)}`)).toEqual(invalidFilter(tooMany));
      expect(await refusal("(".repeat(4096))).toEqual(invalidFilter(tooMany));
      expect(await refusal(")".repeat(4096))).toEqual(invalidFilter("column 1: expected a field name"));
      expect(await refusal(`name${"(".repeat(4000)}`)).toEqual(invalidFilter(tooMany.replace("33", "37")));
      // More would be too long for a URL, in which each is three characters (test/e2e/bad-filter.test.ts).
      for (const filter of ["(".repeat(4_097), ")".repeat(4_097), `${"(".repeat(2_500)}${")".repeat(2_500)}`]) {
        expect(await refusal(filter)).toEqual(invalidFilter("must be at most 4096 bytes"));
      }
      const deep = `metadata${".a".repeat(33)}=1`;
      expect(await refusal(deep)).toEqual(invalidFilter("column 74: more than 32 names in metadata"));
      const terms = Array.from({ length: 65 }, () => "name=a").join(" OR ");
      expect(await refusal(terms)).toEqual(invalidFilter("column 641: more than 64 terms"));
    },
  },
  {
    name: "asks the same of filters on imported keys",
    run: async ({ api, actorId }) => {
      const refusal = await api.refusal("AdminListImportedApiKeys", { filter: "actor_id.$ne=x" });
      const description = "column 10: actor_id is a string and has nothing within it";
      expect(refusal).toEqual({
        ...invalid("filter", description, "INVALID_FILTER"),
        message: `filter: ${description}\nactor_id.$ne=x\n${"^".padStart(10)}`,
      });
      expect(await api.listImported({ filter: `actor_id="${actorId}" AND metadata.$where="1"` })).toEqual({
        imported_api_keys: [],
        next_page_token: "",
      });
    },
  },
];

/** A string literal of the filter language that stands for exactly this text. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\*]/g, "\\$&").replace(/\p{C}/gu, (character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${hex}`;
  });
  return `"${escaped}"`;
}

async function namesOf(api: Api, filter: string): Promise<string[]> {
  const names: string[] = [];
  let page_token = "";
  do {
    const page = await api.list({ filter, page_size: 1000, page_token });
    names.push(...page.issued_api_keys.map(({ name }) => name));
    page_token = page.next_page_token;
  } while (page_token !== "");
  return names;
}
