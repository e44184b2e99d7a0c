/** What a filter may name: the table that the checker is driven by. */
export type FilterFields = readonly FilterField[];

export type FilterField = PlainField | EnumField;

/**
 * - `string`: any text.
 * - `enum`: one of `values`, by its exact name.
 * - `timestamp`: a `Date`, exact to the millisecond. `duration`: a number of milliseconds.
 * - `number`, `bool`.
 * - `string list`: texts.
 * - `struct`: a JSON object; a filter may name any path in it.
 */
export type FilterFieldType = FilterField["type"];

interface FieldName {
  /** As a filter names it, in snake_case, with dots when it is within another message: `revocation.reason`. */
  readonly path: string;
  /**
   * What an index can find: records with one value (`equality`), or a range of a list that is in the order of this field
   * (`range`, of timestamps). Only `planFilter` reads it.
   */
  readonly indexed?: "equality" | "range";
}

interface PlainField extends FieldName {
  readonly type: "string" | "timestamp" | "duration" | "number" | "bool" | "string list" | "struct";
}

interface EnumField extends FieldName {
  readonly type: "enum";
  readonly values: readonly string[];
}
