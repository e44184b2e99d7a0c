import type { CheckedFilter, FilterCondition, FilterPattern, FilterScalar, OrderCondition } from "./checked-filter.js";
import { compareCodePoints } from "./compare-code-points.js";

/**
 * The value of a record's field, by its path in the table of fields: as `FilterFieldType` says, and undefined or null when the
 * record has none. Objects are JSON, and no more than that: only their own properties count.
 */
export type FieldReader = (path: string) => unknown;

/** Whether a record matches. Takes time in proportion to the filter and, where it names structs and lists, to those. */
export function matchesFilter(filter: CheckedFilter, read: FieldReader): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.every((part) => matchesFilter(part, read));
    case "or":
      return filter.filters.some((part) => matchesFilter(part, read));
    case "not":
      return !matchesFilter(filter.filter, read);
    default:
      return matchesCondition(filter, read(filter.field.path));
  }
}

function matchesCondition(condition: FilterCondition, fieldValue: unknown): boolean {
  if (condition.kind === "present") return someValueAt(fieldValue, condition.path, isPresent);
  if (condition.kind === "has") {
    const { values, key } = condition;
    return someValueAt(fieldValue, condition.path, (value) => hasAny(value, values, key));
  }
  const value = scalarAt(fieldValue, condition.path);
  if (value === undefined) return false;
  switch (condition.kind) {
    case "equals":
      return condition.values.includes(value) !== condition.isNegated;
    case "matches":
      return matchesPattern(value, condition.pattern) !== condition.isNegated;
    case "order":
      return isInOrder(value, condition);
  }
}

/** The one value at a path. Lists have no names within them, and neither lists nor objects are scalars. */
function scalarAt(fieldValue: unknown, path: readonly string[]): FilterScalar | undefined {
  let value = fieldValue;
  for (const name of path) value = property(value, name);
  if (value instanceof Date) return value.getTime();
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

/** Tests the values at a path, where a list on the way stands for each of its objects. A list within a list does not. */
function someValueAt(value: unknown, path: readonly string[], test: (value: unknown) => boolean, from = 0): boolean {
  const name = path[from];
  if (name === undefined) return test(value);
  if (!Array.isArray(value)) return hasProperty(value, name) && someValueAt(value[name], path, test, from + 1);
  for (const item of value) {
    if (hasProperty(item, name) && someValueAt(item[name], path, test, from + 1)) return true;
  }
  return false;
}

function isPresent(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isObject(value) || Object.keys(value).length > 0;
}

function hasAny(value: unknown, values: readonly FilterScalar[], key: string): boolean {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  return members.some((member) => hasProperty(member, key) || values.some((wanted) => wanted === member));
}

function matchesPattern(value: FilterScalar, { text, isOpenBefore, isOpenAfter }: FilterPattern): boolean {
  if (typeof value !== "string") return false;
  if (text === "") return value !== "";
  if (isOpenBefore && isOpenAfter) return value.includes(text);
  return isOpenBefore ? value.endsWith(text) : value.startsWith(text);
}

function isInOrder(value: FilterScalar, { operator, value: bound }: OrderCondition): boolean {
  const order = compareScalars(value, bound);
  if (order === undefined) return false;
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

function compareScalars(a: FilterScalar, b: string | number): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return typeof a === "string" && typeof b === "string" ? compareCodePoints(a, b) : undefined;
}

function property(value: unknown, name: string): unknown {
  return hasProperty(value, name) ? value[name] : undefined;
}

function hasProperty<Name extends string>(value: unknown, name: Name): value is Record<Name, unknown> {
  return isObject(value) && Object.hasOwn(value, name);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
