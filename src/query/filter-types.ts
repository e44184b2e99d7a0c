/** What each type of a field takes: operators, and the literals that are values of it. */
import type { FilterPattern, FilterScalar, FilterTarget } from "./checked-filter.js";
import { FILTER_OPERATORS, type FilterOperator } from "./filter-ast.js";
import { named } from "./filter-error.js";
import type { FilterField, FilterFieldType } from "./filter-fields.js";
import { type FilterLiteral, parseDurationMs, parseNumber, parseTimestampMs } from "./filter-literal.js";

/** A value of the type, or why the literal is none. */
export type Taken<Value> = { readonly value: Value } | { readonly problem: string };

export const TYPE_NAMES: Readonly<Record<FilterFieldType, string>> = {
  string: "a string",
  enum: "an enum",
  timestamp: "a timestamp",
  duration: "a duration",
  number: "a number",
  bool: "a bool",
  "string list": "a list of strings",
  struct: "a struct",
};

const OPERATORS: Readonly<Record<FilterFieldType, readonly FilterOperator[]>> = {
  string: FILTER_OPERATORS,
  enum: ["=", "!=", ":"],
  timestamp: FILTER_OPERATORS,
  duration: FILTER_OPERATORS,
  number: FILTER_OPERATORS,
  bool: ["=", "!=", ":"],
  "string list": [":"],
  struct: [":"],
};

interface Measure {
  readonly form: string;
  readonly parse: (literal: FilterLiteral) => number | undefined;
}

const MEASURES: Partial<Readonly<Record<FilterFieldType, Measure>>> = {
  timestamp: {
    form: 'a time of RFC 3339 in quotes, such as "2026-01-31T12:00:00Z"',
    parse: ({ text }) => parseTimestampMs(text),
  },
  duration: { form: "seconds, such as 20s or 1.5s", parse: ({ text }) => parseDurationMs(text) },
  number: {
    form: "a number without quotes",
    parse: ({ text, isQuoted }) => (isQuoted ? undefined : parseNumber(text)),
  },
};

/** What applies; to a value in a struct, whose type is not known before, everything does. */
export function operatorsOf({ field, path }: FilterTarget): readonly FilterOperator[] {
  return path.length > 0 ? FILTER_OPERATORS : OPERATORS[field.type];
}

/** What a literal equals: one value, or, in a struct, what it can be there. */
export function takeValues({ field, path }: FilterTarget, literal: FilterLiteral): Taken<readonly FilterScalar[]> {
  const { text, isQuoted } = literal;
  if (path.length > 0 || field.type === "struct") return { value: isQuoted ? [text] : jsonScalars(text) };
  switch (field.type) {
    case "string":
    case "string list":
      return { value: [text] };
    case "enum":
      return field.values.includes(text)
        ? { value: [text] }
        : mismatch(field, literal, `one of ${field.values.join(", ")}`);
    case "bool":
      if (!isQuoted && (text === "true" || text === "false")) return { value: [text === "true"] };
      return mismatch(field, literal, "true or false, without quotes");
    default: {
      const measured = takeMeasured(field, literal);
      return "problem" in measured ? measured : { value: [measured.value] };
    }
  }
}

/** What a literal is in an order: of texts, or of numbers. */
export function takeOrdered({ field, path }: FilterTarget, literal: FilterLiteral): Taken<string | number> {
  const { text, isQuoted } = literal;
  if (path.length > 0) return { value: isQuoted ? text : (parseNumber(text) ?? text) };
  return field.type === "string" ? { value: text } : takeMeasured(field, literal);
}

/** Whether `=` and `!=` compare with a pattern. Only texts have one. */
export function hasWildcards({ field, path }: FilterTarget, { stars }: FilterLiteral): boolean {
  return stars.length > 0 && (path.length > 0 || field.type === "string");
}

/** The pattern of a string that has stars. */
export function takePattern({ text, stars }: FilterLiteral): Taken<FilterPattern> {
  const last = text.length - 1;
  if (stars.some((star) => star !== 0 && star !== last)) {
    return { problem: 'a "*" is a wildcard at the ends of a string only; the character itself is \\*' };
  }
  const isOpenBefore = stars.includes(0);
  const isOpenAfter = stars.includes(last);
  // A star by itself is at both ends, and leaves nothing.
  const fixed = text.slice(isOpenBefore ? 1 : 0, isOpenAfter ? last : undefined);
  return { value: { text: fixed, isOpenBefore, isOpenAfter } };
}

function takeMeasured(field: FilterField, literal: FilterLiteral): Taken<number> {
  const measure = MEASURES[field.type];
  const value = measure?.parse(literal);
  return value === undefined ? mismatch(field, literal, measure?.form ?? "no number") : { value };
}

function mismatch({ path, type }: FilterField, { text }: FilterLiteral, form: string): { readonly problem: string } {
  return { problem: `${named(text)} is no value of ${path}, ${TYPE_NAMES[type]}: expected ${form}` };
}

/** What a text without quotes can be in JSON. */
function jsonScalars(text: string): readonly FilterScalar[] {
  if (text === "true" || text === "false") return [text, text === "true"];
  const number = parseNumber(text);
  return number === undefined ? [text] : [text, number];
}
