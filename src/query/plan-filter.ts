import type { CheckedFilter, EqualsCondition, FilterScalar, OrderCondition } from "./checked-filter.js";

/** What an index can do for a filter, and what is left to ask of each record that it finds. */
export interface FilterPlan {
  /** Field path -> the value that every match has. */
  readonly equals: ReadonlyMap<string, FilterScalar>;
  /** Field path -> where every match is. */
  readonly ranges: ReadonlyMap<string, TimeRange>;
  /** What `equals` and `ranges` do not say yet; an `and` of nothing when they say it all. */
  readonly residual: CheckedFilter;
  /** Nothing can match: two values for one field, or a range that has no end after its beginning. */
  readonly isEmpty: boolean;
}

/** Whole milliseconds of Unix time, both inclusive; an absent one is open. */
export interface TimeRange {
  readonly fromMs?: number;
  readonly toMs?: number;
}

interface IndexedTerm<Served> {
  /** Of the field. */
  readonly path: string;
  readonly served: Served;
}

/**
 * Takes what indexed fields serve out of the terms that every match fulfils: `=` on a field that is indexed for equality, and
 * `= < <= > >=` on one that the list is ordered by. What is under OR, NOT or `!=` stays in the residual.
 */
export function planFilter(filter: CheckedFilter): FilterPlan {
  const equals = new Map<string, FilterScalar>();
  const ranges = new Map<string, TimeRange>();
  const residual: CheckedFilter[] = [];
  let isEmpty = false;

  for (const term of filter.kind === "and" ? filter.filters : [filter]) {
    const value = indexedValue(term);
    const range = indexedRange(term);
    if (value !== undefined) {
      const { path, served } = value;
      isEmpty ||= equals.has(path) && equals.get(path) !== served;
      equals.set(path, served);
    } else if (range !== undefined) {
      const { path, served } = range;
      const narrowed = intersect(ranges.get(path), served);
      isEmpty ||= (narrowed.fromMs ?? Number.NEGATIVE_INFINITY) > (narrowed.toMs ?? Number.POSITIVE_INFINITY);
      ranges.set(path, narrowed);
    } else residual.push(term);
  }
  const [only] = residual;
  const left = only !== undefined && residual.length === 1 ? only : ({ kind: "and", filters: residual } as const);
  return { equals, ranges, residual: left, isEmpty };
}

function indexedValue(term: CheckedFilter): IndexedTerm<FilterScalar> | undefined {
  if (!isPlainEquals(term) || term.field.indexed !== "equality") return undefined;
  const [value] = term.values;
  return value === undefined ? undefined : { path: term.field.path, served: value };
}

function indexedRange(term: CheckedFilter): IndexedTerm<TimeRange> | undefined {
  if (term.kind !== "order" && !isPlainEquals(term)) return undefined;
  const { field } = term;
  const timeMs = term.kind === "order" ? term.value : term.values[0];
  if (field.indexed !== "range" || field.type !== "timestamp" || typeof timeMs !== "number") return undefined;
  return { path: field.path, served: rangeOf(term.kind === "order" ? term.operator : "=", timeMs) };
}

/** `=` and one value. */
function isPlainEquals(term: CheckedFilter): term is EqualsCondition {
  return term.kind === "equals" && !term.isNegated && term.path.length === 0 && term.values.length === 1;
}

/** Of a time between two milliseconds, which nothing equals, the range ends before it begins. */
function rangeOf(operator: OrderCondition["operator"] | "=", timeMs: number): TimeRange {
  switch (operator) {
    case "=":
      return { fromMs: Math.ceil(timeMs), toMs: Math.floor(timeMs) };
    case "<":
      return { toMs: Math.ceil(timeMs) - 1 };
    case "<=":
      return { toMs: Math.floor(timeMs) };
    case ">":
      return { fromMs: Math.floor(timeMs) + 1 };
    case ">=":
      return { fromMs: Math.ceil(timeMs) };
  }
}

function intersect(known: TimeRange | undefined, range: TimeRange): TimeRange {
  const fromMs = Math.max(known?.fromMs ?? Number.NEGATIVE_INFINITY, range.fromMs ?? Number.NEGATIVE_INFINITY);
  const toMs = Math.min(known?.toMs ?? Number.POSITIVE_INFINITY, range.toMs ?? Number.POSITIVE_INFINITY);
  return { ...(Number.isFinite(fromMs) && { fromMs }), ...(Number.isFinite(toMs) && { toMs }) };
}
