/**
 * What a filter says, before anything is known of fields and types. `at` is an index into the text, in UTF-16 units.
 * Parentheses leave no node behind.
 */
export interface ParsedFilter {
  readonly text: string;
  /** Absent when the filter is empty. */
  readonly expression?: FilterNode;
}

export type FilterNode = ListNode | NotNode | RestrictionNode | ComparableNode;
export type ComparableNode = MemberNode | FunctionNode;

/** Two or more terms. A sequence is the AND that is not written: it binds looser than OR and tighter than AND. */
export interface ListNode {
  readonly kind: "sequence" | "and" | "or";
  readonly at: number;
  readonly terms: readonly FilterNode[];
}

export interface NotNode {
  readonly kind: "not";
  readonly at: number;
  readonly term: FilterNode;
}

export interface RestrictionNode {
  readonly kind: "restriction";
  readonly at: number;
  readonly left: ComparableNode;
  readonly operator: FilterOperator;
  readonly operatorAt: number;
  /** Lists, negations and restrictions only from between parentheses. */
  readonly right: FilterNode;
}

/** Parts joined by dots: a field on the left, a value on the right, and a literal where it stands alone. */
export interface MemberNode {
  readonly kind: "member";
  readonly at: number;
  readonly parts: readonly [MemberPart, ...MemberPart[]];
}

export interface FunctionNode {
  readonly kind: "function";
  readonly at: number;
  /** With its dots, such as `time.now`. */
  readonly name: string;
  readonly args: readonly FilterNode[];
}

export interface MemberPart {
  readonly at: number;
  /** Without quotes, and with escapes replaced. A negative number has its sign. */
  readonly text: string;
  readonly isQuoted: boolean;
  /** Indices into `text` of the `*` that were not escaped; none in a part without quotes. */
  readonly stars: readonly number[];
}

export const FILTER_OPERATORS = ["=", "!=", "<", "<=", ">", ">=", ":"] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];
