/** Filters of other implementations' test suites and of AIP-160 itself (`source` in the vectors names each). */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { checkFilter } from "../../src/query/filter-checker.js";
import { matchesFilter } from "../../src/query/filter-evaluator.js";
import type { FilterField, FilterFields } from "../../src/query/filter-fields.js";
import { parseFilterText } from "../../src/query/filter-parser.js";
import { DECIDED_OTHERWISE, decisionOf } from "./aip160-decisions.js";
import { filterShape } from "./filter-shape.js";

interface SyntaxCase {
  readonly filter: string;
  readonly valid: boolean;
  readonly shape?: unknown;
}
interface TypedCase {
  readonly filter: string;
  readonly schema: Readonly<Record<string, string>>;
  readonly ok: boolean;
}
interface UnescapeCase {
  readonly literal: string;
  readonly ok: boolean;
  readonly value?: string;
}
interface EvalCase {
  readonly filter: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly expected: boolean;
}

const syntaxCases = readVectors<readonly SyntaxCase[]>("aip160.json");
const typed = readVectors<{ readonly cases: readonly TypedCase[]; readonly unescape: readonly UnescapeCase[] }>(
  "aip160-typed.json",
);
const evalCases = readVectors<{ readonly cases: readonly EvalCase[] }>("aip160-eval.json").cases;

test("the vectors are all here", () => {
  expect([syntaxCases.length, typed.cases.length, typed.unescape.length, evalCases.length]).toEqual([367, 56, 16, 256]);
});

test("every filter parses, or does not, as it should", () => {
  const others = syntaxCases.filter(({ filter, valid }) => outcome(() => parseFilterText(filter)) !== ok(valid));
  expect(others.map(({ filter }) => filter)).toEqual(DECIDED_OTHERWISE.syntax);
});

test("every filter that has a shape parses into it", () => {
  const shapes = syntaxCases.filter(({ shape }) => shape !== undefined);
  expect(shapes.length).toBeGreaterThan(30);
  for (const { filter, shape } of shapes) {
    const { expression } = parseFilterText(filter);
    expect([filter, expression && filterShape(expression)]).toEqual([filter, shape]);
  }
});

test("every filter is of the right types, or is not, as it should be, but for what is decided otherwise", () => {
  const decisions = typed.cases.map(({ filter, schema, ok: isOk }) => {
    const fields = Object.entries(schema).map(([path, type]) => fieldOfType(path, type));
    const refused = refusal(() => checkFilter(filter, fields));
    return {
      filter: filter.trim(),
      decision: (refused === undefined) === isOk ? undefined : decisionOf(refused ?? "taken"),
    };
  });
  expect(group(decisions)).toEqual(DECIDED_OTHERWISE.typed);
});

test("every string literal is read as it should be", () => {
  const others = typed.unescape.filter(({ literal, ok: isOk, value }) => {
    const text = tryRead(() => checkFilter(`a < ${literal}`, [{ path: "a", type: "string" }]));
    return (text === undefined) === isOk || (isOk && text !== value);
  });
  expect(others.map(({ literal }) => literal)).toEqual(DECIDED_OTHERWISE.unescape);
});

test("every record matches, or does not, as it should, but for filters that are refused", () => {
  const decisions = evalCases.map(({ filter, record, expected }) => {
    const matches = () =>
      matchesFilter(checkFilter(filter, fieldsOf(filter, record)), (path) =>
        Object.hasOwn(record, path) ? record[path] : undefined,
      );
    const refused = refusal(matches);
    if (refused === undefined)
      expect({ filter, record, matches: matches() }).toEqual({ filter, record, matches: expected });
    return { filter, decision: refused === undefined ? undefined : decisionOf(refused) };
  });
  expect(group(decisions)).toEqual(DECIDED_OTHERWISE.eval);
});

function readVectors<Vectors>(file: string): Vectors {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")) as Vectors;
}

function outcome(run: () => unknown): "ok" | "refused" {
  return ok(refusal(run) === undefined);
}

function ok(isOk: boolean): "ok" | "refused" {
  return isOk ? "ok" : "refused";
}

/** The message of the one error that there is. */
function refusal(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toHaveProperty("reason", "INVALID_FILTER");
    return String((error as Error).message);
  }
}

function tryRead(run: () => ReturnType<typeof checkFilter>): unknown {
  let checked: ReturnType<typeof checkFilter> | undefined;
  refusal(() => {
    checked = run();
  });
  return checked?.kind === "order" ? checked.value : undefined;
}

/** Decision -> the filters that it is about, each once. */
function group(decisions: readonly { filter: string; decision: string | undefined }[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const { filter, decision } of decisions) {
    if (decision === undefined || groups[decision]?.includes(filter)) continue;
    groups[decision] = [...(groups[decision] ?? []), filter];
  }
  return groups;
}

function fieldOfType(path: string, type: string): FilterField {
  const values = /^enum\{(.*)\}$/.exec(type)?.[1];
  if (values !== undefined) return { path, type: "enum", values: values.split(",") };
  const known = { int: "number", float: "number", "map(string, string)": "struct" } as const;
  return { path, type: Object.hasOwn(known, type) ? known[type as keyof typeof known] : (type as "string") };
}

/** The vectors' records have no types: a field's is that of its value, else that of what the filter compares it with. */
function fieldsOf(filter: string, record: Readonly<Record<string, unknown>>): FilterFields {
  const named = [...filter.matchAll(/"?([\p{L}_]+)"?(?=[.:=<> !])/gu)].map(([, name = ""]) => name);
  return [...new Set([...Object.keys(record), ...named])].map((path): FilterField => {
    const value = Object.hasOwn(record, path) ? record[path] : undefined;
    if (typeof value === "string") return { path, type: "string" };
    if (typeof value === "number") return { path, type: "number" };
    if (typeof value === "boolean") return { path, type: "bool" };
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return { path, type: "string list" };
    const isStruct = (typeof value === "object" && value !== null) || filter.includes(`${path}.`);
    if (isStruct) return { path, type: "struct" };
    return { path, type: new RegExp(`\\b${path} *[!<>=]+ *-?\\d`).test(filter) ? "number" : "string" };
  });
}
