import type { CheckedFilter, FilterTarget } from "./checked-filter.js";
import type { FilterNode, FunctionNode, MemberNode, ParsedFilter, RestrictionNode } from "./filter-ast.js";
import { filterError, named } from "./filter-error.js";
import type { FilterField, FilterFields } from "./filter-fields.js";
import { type FilterLiteral, isStar, literalFromMember, parseNumber } from "./filter-literal.js";
import { operatorHint, parseFilterText } from "./filter-parser.js";
import {
  hasWildcards,
  operatorsOf,
  type Taken,
  TYPE_NAMES,
  takeOrdered,
  takePattern,
  takeValues,
} from "./filter-types.js";

/** Names within a struct. Also keeps what a filter names within the depth that a store can look into. */
const MAX_PATH_PARTS = 32;

/**
 * Parses a filter and checks it against a table of fields: what it names is there, operators apply to types, and values are of
 * them. Functions and bare literals are in the language, but not taken here: each is refused by its name.
 *
 * On the right is always a value, never another field. Texts may have quotes or not; a number, and a bool, has none, and a
 * timestamp needs them. In a struct, where types are not known before, a quoted value equals texts only; one without quotes
 * also the number or the bool that it reads as, and is ordered among numbers when it is one.
 *
 * Throws INVALID_FILTER with the column.
 */
export function checkFilter(text: string, fields: FilterFields): CheckedFilter {
  const parsed = parseFilterText(text);
  return parsed.expression === undefined
    ? { kind: "and", filters: [] }
    : new Checker(parsed, fields).check(parsed.expression);
}

class Checker {
  readonly #text: string;
  readonly #fields: FilterFields;
  /** Of the field that has most. */
  readonly #fieldNames: number;

  constructor({ text }: ParsedFilter, fields: FilterFields) {
    this.#text = text;
    this.#fields = fields;
    this.#fieldNames = Math.max(...fields.map(({ path }) => path.split(".").length));
  }

  check(node: FilterNode): CheckedFilter {
    switch (node.kind) {
      case "sequence":
      case "and":
        return this.#checkList("and", node.terms);
      case "or":
        return this.#checkList("or", node.terms);
      case "not":
        return { kind: "not", filter: this.check(node.term) };
      case "member":
        throw this.#bareLiteral(node);
      case "function":
        throw this.#noFunction(node);
      case "restriction":
        return this.#checkRestriction(node);
    }
  }

  /** Lists of one kind within each other become one. */
  #checkList(kind: "and" | "or", terms: readonly FilterNode[]): CheckedFilter {
    const filters = terms.map((term) => this.check(term));
    return { kind, filters: filters.flatMap((filter) => (filter.kind === kind ? filter.filters : [filter])) };
  }

  #checkRestriction(node: RestrictionNode): CheckedFilter {
    if (node.left.kind === "function") throw this.#noFunction(node.left);
    const { operator } = node;
    const target = this.#resolve(node.left);
    if (!operatorsOf(target).includes(operator)) throw this.#notApplicable(node, target);
    const literal = this.#literal(node.right);
    if (operator === ":") return this.#checkHas(target, literal);
    if (operator !== "=" && operator !== "!=") {
      return { kind: "order", ...target, operator, value: this.#take(takeOrdered(target, literal), literal) };
    }
    const isNegated = operator === "!=";
    if (hasWildcards(target, literal)) {
      return { kind: "matches", ...target, pattern: this.#take(takePattern(literal), literal), isNegated };
    }
    return { kind: "equals", ...target, values: this.#take(takeValues(target, literal), literal), isNegated };
  }

  #checkHas(target: FilterTarget, literal: FilterLiteral): CheckedFilter {
    if (isStar(literal)) return { kind: "present", ...target };
    const { type, path } = target.field;
    if (type === "timestamp" || type === "duration") {
      throw this.#fail(literal.at, `after ":", ${path} takes * only, as it is ${TYPE_NAMES[type]}`);
    }
    const values = this.#take(takeValues(target, literal), literal);
    if (type === "struct" || type === "string list") return { kind: "has", ...target, values, key: literal.text };
    return { kind: "equals", ...target, values, isNegated: false };
  }

  /** The longest name of a field that the parts begin with; what is left over is a path in a struct. */
  #resolve({ at, parts }: MemberNode): FilterTarget {
    const names = parts.map(({ text }) => text);
    // A part in quotes is one name, also with dots in it, and no field has such a name.
    const dotted = names.findIndex((name) => name.includes("."));
    for (let count = Math.min(dotted < 0 ? names.length : dotted, this.#fieldNames); count > 0; count--) {
      const field = this.#fields.find(({ path }) => path === names.slice(0, count).join("."));
      if (field === undefined) continue;
      const path = names.slice(count);
      if (path.length > 0 && field.type !== "struct") throw this.#noPath(field, parts[count]?.at ?? at);
      if (path.length > MAX_PATH_PARTS) {
        throw this.#fail(parts[count + MAX_PATH_PARTS]?.at ?? at, `more than ${MAX_PATH_PARTS} names in ${field.path}`);
      }
      return { field, path };
    }
    throw this.#unknownField(at, names.join("."));
  }

  #literal(node: FilterNode): FilterLiteral {
    if (node.kind === "function") throw this.#noFunction(node);
    if (node.kind !== "member") {
      throw this.#fail(node.at, "expected one value; several are compared one by one: a = x OR a = y");
    }
    const literal = literalFromMember(node);
    if (literal === undefined) throw this.#fail(node.at, "expected a text without quotes, or one quoted string");
    return literal;
  }

  /** The value, or the error of a literal that is none. */
  #take<Value>(taken: Taken<Value>, literal: FilterLiteral): Value {
    if ("problem" in taken) throw this.#fail(literal.at, taken.problem);
    return taken.value;
  }

  #bareLiteral(node: MemberNode): Error {
    const name = node.parts.map(({ text }) => text).join(".");
    const example = this.#fields.some(({ path }) => path === name) ? name : "field";
    return this.#fail(node.at, `${named(name)} is compared with nothing; write ${example} = value`);
  }

  #noFunction({ at, name }: FunctionNode): Error {
    const hint = operatorHint(name) || "; write the value itself";
    return this.#fail(at, `there is no function ${named(name)}${hint}`);
  }

  #unknownField(at: number, name: string): Error {
    const isValue = parseNumber(name) !== undefined;
    const hint = isValue ? "; the field is on the left of its value" : "";
    const known = this.#fields.map(({ path }) => path).join(", ");
    return this.#fail(at, `${named(name)} cannot be filtered on${hint}; what can is ${known}`);
  }

  #noPath({ path, type }: FilterField, at: number): Error {
    const hint = type === "string list" ? `; what it holds is asked for as ${path}:value` : "";
    return this.#fail(at, `${path} is ${TYPE_NAMES[type]} and has nothing within it${hint}`);
  }

  #notApplicable({ operator, operatorAt }: RestrictionNode, target: FilterTarget): Error {
    const { path, type } = target.field;
    const hint = type === "struct" ? `, and anything to ${path}.<key>` : "";
    const applicable = operatorsOf(target).join(" ");
    const problem = `${named(operator)} does not apply to ${path}, ${TYPE_NAMES[type]}; what does is ${applicable}${hint}`;
    return this.#fail(operatorAt, problem);
  }

  #fail(at: number, problem: string): Error {
    return filterError(this.#text, at, problem);
  }
}
