import { readFileSync } from "node:fs";

/** A fenced block of sh, and the JSON that is shown as its output. */
export interface Step {
  readonly script: string;
  /** Absent: the output is not shown. */
  readonly expected?: unknown;
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;
/** In an expected string: any text. */
const ELLIPSIS = "...";

/** The text of a page of the repository, such as `docs/tokens.md`. */
export function readPage(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

/** The text of a section of a Markdown page, up to the next heading of the same level. */
export function readSection(markdown: string, heading: string): string {
  const [, rest] = markdown.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`there is no section ${heading}`);
  return rest.split("\n## ")[0] ?? "";
}

/** The `sh` blocks in order, each with the `json` block that follows it before the next. */
export function readSteps(section: string): Step[] {
  const steps: Step[] = [];
  for (const [, language, text = ""] of section.matchAll(FENCE)) {
    const last = steps.at(-1);
    if (language === "sh") steps.push({ script: text });
    else if (language !== "json" || last === undefined || "expected" in last)
      throw new Error(`a stray block:\n${text}`);
    else steps.splice(-1, 1, { ...last, expected: JSON.parse(text) });
  }
  return steps;
}

/**
 * The part of `actual` that `expected` speaks of, written as `expected` writes it: equal to `expected` exactly when the
 * answer is the one that is shown. Fields of objects may be left out there; `...` in a string stands for any text.
 */
export function asShown(actual: unknown, expected: unknown): unknown {
  if (typeof actual === "string" && typeof expected === "string") return fits(actual, expected) ? expected : actual;
  if (Array.isArray(actual) && Array.isArray(expected))
    return actual.map((item, index) => asShown(item, expected[index]));
  if (!isObject(actual) || !isObject(expected)) return actual;
  const shown = Object.keys(expected).filter((name) => name in actual);
  return Object.keys(expected).length === 0
    ? actual
    : Object.fromEntries(shown.map((name) => [name, asShown(actual[name], expected[name])]));
}

function fits(actual: string, expected: string): boolean {
  const [start = "", end] = expected.split(ELLIPSIS);
  if (end === undefined) return actual === expected;
  return actual.length > start.length + end.length && actual.startsWith(start) && actual.endsWith(end);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The cells of the tables in a text, one list for each row with a first cell in backticks: what is between them, then the others. */
export function readRows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, name = "", rest = ""]) => [
    name,
    ...rest.split(" | "),
  ]);
}
