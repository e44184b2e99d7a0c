/**
 * A filter as a MongoDB query, as a plain object without a driver's types. What comes from a filter's text gets into it in three
 * ways only: as an operand of `$in`, `$nin`, `$lt`, `$lte`, `$gt` or `$gte`, always a string, number, boolean or date; within a
 * regular expression, escaped; and as a key within a struct, as `escapeKey` writes it. So no value becomes an operator.
 *
 * MongoDB looks into lists where a filter does not, and by position where a name is a number, so a path in a struct is guarded
 * against them. What cannot be said exactly becomes a query that finds more, never less; `exact` tells.
 */
import type {
  CheckedFilter,
  EqualsCondition,
  FilterCondition,
  FilterPattern,
  FilterScalar,
  HasCondition,
  MatchesCondition,
  OrderCondition,
  PresentCondition,
} from "./checked-filter.js";
import type { FilterFieldType } from "./filter-fields.js";

export type MongoQuery = { readonly [key: string]: unknown };

export interface CompiledFilter {
  /** Finds every record that matches. */
  readonly query: MongoQuery;
  /** Whether it finds no other. Otherwise `matchesFilter` has to decide over what it finds. */
  readonly exact: boolean;
}

/**
 * Where documents have the fields of a filter: by the path of the field in the table of fields. A field belongs here if
 * documents have it exactly when records have a value for it, as it is stored: texts, booleans, numbers, lists of texts;
 * timestamps as dates, durations as milliseconds. Any other is left out, and then what a filter says of it is not compiled.
 */
export type MongoFields = Readonly<Record<string, MongoField>>;

export interface MongoField {
  /** Dots included. */
  readonly path: string;
  /** Of an enum: name in filters -> what is stored. What is not in it is not compiled. */
  readonly values?: Readonly<Record<string, string>>;
  /** Of a struct, which needs it: a key as documents have it, without dots and without a dollar sign at its beginning. */
  readonly escapeKey?: (key: string) => string;
}

const ANYTHING: CompiledFilter = { query: {}, exact: false };
/** `$nor` of a query that finds everything. */
const NOTHING: MongoQuery = { $nor: [{}] };
/** `and`, `or` and `not` within each other. A document has at most 100 levels, and each of these is two. */
const MAX_NESTING = 20;
/** What a document must not have at a place. */
const NO_ARRAY = { $not: { $type: "array" } };
const NON_EMPTY_LIST = { $type: "array", $not: { $size: 0 } };
/** What is no presence, besides null. */
const EMPTY_VALUES: Partial<Readonly<Record<FilterFieldType, unknown>>> = { string: "", struct: {} };
const ORDER_OPERATORS = { "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte" } as const;
const SCALAR_TYPES = ["string", "number", "bool"];
/** `$` would match before a line feed at the end too. */
const END_OF_TEXT = "(?![\\s\\S])";

/** Compiles a filter. The query has no conditions but the filter's own. */
export function compileMongo(filter: CheckedFilter, fields: MongoFields): CompiledFilter {
  return compile(filter, fields, false, 0);
}

/** With `isNegated`, of what the filter does not match: a negation moves inwards, where "finds more" is known to hold. */
function compile(filter: CheckedFilter, fields: MongoFields, isNegated: boolean, nesting: number): CompiledFilter {
  if (nesting > MAX_NESTING) return ANYTHING;
  switch (filter.kind) {
    case "not":
      return compile(filter.filter, fields, !isNegated, nesting + 1);
    case "and":
    case "or": {
      const parts = filter.filters.map((part) => compile(part, fields, isNegated, nesting + 1));
      return (filter.kind === "and") === isNegated ? anyOf(parts) : allOf(parts);
    }
    default: {
      const compiled = compileCondition(filter, fields);
      if (!isNegated) return compiled;
      return compiled.exact ? { query: { $nor: [compiled.query] }, exact: true } : ANYTHING;
    }
  }
}

function allOf(parts: readonly CompiledFilter[]): CompiledFilter {
  const queries = parts.map(({ query }) => query).filter((query) => !isEverything(query));
  const [only = {}] = queries;
  return { query: queries.length > 1 ? { $and: queries } : only, exact: parts.every(({ exact }) => exact) };
}

function anyOf(parts: readonly CompiledFilter[]): CompiledFilter {
  const everything = parts.find(({ query }) => isEverything(query));
  if (everything !== undefined) return everything;
  const queries = parts.map(({ query }) => query);
  const [only = NOTHING] = queries;
  return { query: queries.length > 1 ? { $or: queries } : only, exact: parts.every(({ exact }) => exact) };
}

function isEverything(query: MongoQuery): boolean {
  return Object.keys(query).length === 0;
}

function compileCondition(condition: FilterCondition, fields: MongoFields): CompiledFilter {
  const { field } = condition;
  const mapping = Object.hasOwn(fields, field.path) ? fields[field.path] : undefined;
  const path = mapping && documentPath(condition, mapping);
  if (mapping === undefined || path === undefined) return ANYTHING;
  switch (condition.kind) {
    case "present":
      return compilePresent(condition, path);
    case "equals":
      return compileEquals(condition, mapping, path);
    case "matches":
      return { query: matchesQuery(condition, path), exact: true };
    case "order":
      return { query: scalarQuery(condition, path, orderOperand(condition)), exact: true };
    case "has":
      return compileHas(condition, mapping, path);
  }
}

/** Undefined when the names in a struct have no place in a path. */
function documentPath({ path }: FilterCondition, mapping: MongoField): string | undefined {
  let documentPath = mapping.path;
  for (const key of path) {
    const name = documentKey(key, mapping);
    if (name === undefined) return undefined;
    documentPath += `.${name}`;
  }
  return documentPath;
}

function documentKey(key: string, { escapeKey }: MongoField): string | undefined {
  const name = escapeKey?.(key);
  return name === undefined || name === "" || /^\$|[.\0]/.test(name) ? undefined : name;
}

function compilePresent({ field, path }: PresentCondition, documentPath: string): CompiledFilter {
  // A list may be on the way, and servers differ on what is in there.
  if (path.length > 1) return { query: { [documentPath]: { $exists: true } }, exact: false };
  const list = { [documentPath]: NON_EMPTY_LIST };
  if (field.type === "string list") return { query: list, exact: true };
  if (path.length === 1) {
    const other = { [documentPath]: { ...NO_ARRAY, $nin: [null, "", {}] } };
    return { query: { $or: [list, other] }, exact: true };
  }
  const empty = EMPTY_VALUES[field.type];
  return { query: { [documentPath]: { $nin: empty === undefined ? [null] : [null, empty] } }, exact: true };
}

function compileEquals(condition: EqualsCondition, mapping: MongoField, path: string): CompiledFilter {
  const values = condition.values.map((value) => storedValue(condition, mapping, value));
  if (values.includes(undefined)) return ANYTHING;
  // A time between two milliseconds equals none.
  const operands = values.filter((value) => value !== null);
  if (!condition.isNegated) return { query: scalarQuery(condition, path, { $in: operands }), exact: true };
  const types = condition.path.length > 0 ? { $type: SCALAR_TYPES } : {};
  return { query: scalarQuery(condition, path, { $nin: [null, ...operands], ...types }), exact: true };
}

/** Undefined when it is not known how the value is stored, null when no document can have it. */
function storedValue(
  { field, path }: EqualsCondition,
  { values = {} }: MongoField,
  value: FilterScalar,
): FilterScalar | Date | null | undefined {
  if (path.length === 0 && field.type === "enum") {
    return Object.hasOwn(values, String(value)) ? values[String(value)] : undefined;
  }
  if (field.type !== "timestamp" || typeof value !== "number") return value;
  return Number.isInteger(value) ? new Date(value) : null;
}

function matchesQuery(condition: MatchesCondition, path: string): MongoQuery {
  const matching = { $regex: regexFromPattern(condition.pattern) };
  if (!condition.isNegated) return scalarQuery(condition, path, matching);
  const types = condition.path.length > 0 ? { $type: SCALAR_TYPES } : { $ne: null };
  return { $and: [scalarQuery(condition, path, types), { $nor: [{ [path]: matching }] }] };
}

function regexFromPattern({ text, isOpenBefore, isOpenAfter }: FilterPattern): string {
  if (text === "") return "[\\s\\S]";
  return `${isOpenBefore ? "" : "^"}${escapeRegex(text)}${isOpenAfter ? "" : END_OF_TEXT}`;
}

/** BSON ends a regular expression at a NUL. */
function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/#-]/g, "\\$&").replaceAll("\0", "\\x00");
}

function orderOperand({ field, path, operator, value }: OrderCondition): MongoQuery {
  if (path.length > 0 || field.type !== "timestamp") return { [ORDER_OPERATORS[operator]]: value };
  const timeMs = Number(value);
  // Between two milliseconds, "less than" the time is "not after" the first of them.
  const isWhole = Number.isInteger(timeMs);
  const rounded = isWhole ? ORDER_OPERATORS[operator] : operator.startsWith("<") ? "$lte" : "$gt";
  return { [rounded]: new Date(Math.floor(timeMs)) };
}

/** A condition on one value: no list on the way to it, and none at its place. */
function scalarQuery({ path }: FilterCondition, documentPath: string, operand: MongoQuery): MongoQuery {
  if (path.length === 0) return { [documentPath]: operand };
  const names = documentPath.split(".");
  const first = names.length - path.length + 1;
  const guards = path.slice(1).map((_name, index) => [names.slice(0, first + index).join("."), NO_ARRAY] as const);
  return Object.fromEntries([...guards, [documentPath, { ...operand, ...NO_ARRAY }]]);
}

function compileHas(condition: HasCondition, mapping: MongoField, path: string): CompiledFilter {
  if (condition.field.type !== "struct") return { query: { [path]: { $in: condition.values } }, exact: true };
  const key = documentKey(condition.key, mapping);
  if (key === undefined) return ANYTHING;
  const hasKey = { [`${path}.${key}`]: { $exists: true } };
  if (condition.path.length === 0) return { query: hasKey, exact: true };
  // Finds more in lists: a number is a position there too, and servers differ on lists within lists.
  return { query: { $or: [{ [path]: { $in: condition.values } }, hasKey] }, exact: false };
}
