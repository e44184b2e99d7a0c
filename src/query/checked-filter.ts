import type { FilterField } from "./filter-fields.js";

/**
 * A filter whose fields exist and whose values have the fields' types. The empty filter is an `and` of nothing, which matches
 * every record.
 *
 * A field that a record has no value for fits no condition, `!=` included. A negation of that does match it:
 * `NOT name = x` is true where `name != x` is false (AIP-160 skips what is not set).
 */
export type CheckedFilter = CheckedList | CheckedNot | FilterCondition;

export interface CheckedList {
  readonly kind: "and" | "or";
  readonly filters: readonly CheckedFilter[];
}

export interface CheckedNot {
  readonly kind: "not";
  readonly filter: CheckedFilter;
}

export type FilterCondition = PresentCondition | EqualsCondition | MatchesCondition | OrderCondition | HasCondition;

/** A time is in milliseconds of Unix time, a duration in milliseconds; either is half of one between two of them. */
export type FilterScalar = string | number | boolean;

/** What a condition is about. */
export interface FilterTarget {
  readonly field: FilterField;
  /** Names within a struct, down to the value; empty for the field itself. */
  readonly path: readonly string[];
}

/** `:*`. The empty text, list and object are no presence; zero and false are. Looks into lists on the way. */
export interface PresentCondition extends FilterTarget {
  readonly kind: "present";
}

/** `=` and `!=`, and `:` on a field with one value. True when the value is any of these, or, with `isNegated`, none. */
export interface EqualsCondition extends FilterTarget {
  readonly kind: "equals";
  readonly values: readonly FilterScalar[];
  readonly isNegated: boolean;
}

/** `=` and `!=` with wildcards. */
export interface MatchesCondition extends FilterTarget {
  readonly kind: "matches";
  readonly pattern: FilterPattern;
  readonly isNegated: boolean;
}

export interface FilterPattern {
  /** What any text may be before and after; empty for `*` alone, which stands for any text but the empty one. */
  readonly text: string;
  readonly isOpenBefore: boolean;
  readonly isOpenAfter: boolean;
}

/** Compares numbers with numbers, and texts with texts by their code points. Any other value does not match. */
export interface OrderCondition extends FilterTarget {
  readonly kind: "order";
  readonly operator: "<" | "<=" | ">" | ">=";
  readonly value: string | number;
}

/**
 * `:` on a list or in a struct: true for a list that holds one of `values`, a map that has the key, a list of maps one of which
 * has it, and a value that is one of `values`. Looks into lists on the way to it.
 */
export interface HasCondition extends FilterTarget {
  readonly kind: "has";
  readonly values: readonly FilterScalar[];
  readonly key: string;
}
