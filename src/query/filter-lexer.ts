import type { FilterOperator } from "./filter-ast.js";
import { filterError } from "./filter-error.js";
import { readFilterString } from "./filter-string.js";

export type FilterKeyword = "AND" | "OR" | "NOT";

export interface FilterToken {
  readonly kind: "text" | "string" | "end" | FilterKeyword | FilterOperator | "-" | "." | "," | "(" | ")";
  /** Of a string: without quotes, and with escapes replaced. */
  readonly text: string;
  /** Where it begins in the filter. */
  readonly at: number;
  /** Whether there is white space, or nothing, before it. */
  readonly isSpaced: boolean;
  /** Of a string: indices into `text` of the `*` that were not escaped. */
  readonly stars: readonly number[];
}

const SPACE = /[ \t\r\n]*/y;
/** Longest alternatives first. A text has no white space of any kind, no controls, and nothing that has a meaning. */
const TOKEN =
  /(?<symbol><=|>=|!=|[<>=:.,()-])|(?<text>[^\s\p{White_Space}\p{Cc}.,()<>=!:"']+)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/suy;
/** Half of a character: no well-formed text has one. */
const LONE_SURROGATE = /\p{Cs}/u;
const KEYWORDS: ReadonlySet<string> = new Set<FilterKeyword>(["AND", "OR", "NOT"]);
const NO_STARS: readonly number[] = [];

/**
 * The tokens of a filter, with an "end" behind the last:
 *
 *     TEXT   = any characters but white space, controls and . , ( ) < > = ! : " '    not "-" as the first
 *     STRING = '"' { character | escape } '"' | "'" { character | escape } "'"
 *     NOT | AND | OR, in this case only    - . , ( ) < <= > >= = != :
 *
 * Numbers are texts, and dots. Takes time in proportion to the text. Throws INVALID_FILTER at what is no token.
 *
 * @see https://google.aip.dev/assets/misc/ebnf-filtering.txt
 */
export function scanFilter(filter: string): readonly FilterToken[] {
  const surrogate = filter.search(LONE_SURROGATE);
  if (surrogate >= 0) throw filterError(filter, surrogate, "half a character");
  const tokens: FilterToken[] = [];
  for (let position = 0; ; ) {
    SPACE.lastIndex = position;
    SPACE.exec(filter);
    const at = SPACE.lastIndex;
    const isSpaced = at > position || at === 0;
    if (at === filter.length) {
      tokens.push({ kind: "end", text: "", at, isSpaced: true, stars: NO_STARS });
      return tokens;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(filter);
    if (match === null) throw filterError(filter, at, describeCharacter(filter, at));
    position = TOKEN.lastIndex;
    const place = { at, isSpaced };
    const { symbol, text } = match.groups ?? {};
    if (symbol !== undefined) {
      tokens.push({ kind: symbol as FilterToken["kind"], text: symbol, stars: NO_STARS, ...place });
    } else if (text !== undefined) {
      const kind = KEYWORDS.has(text) ? (text as FilterKeyword) : "text";
      tokens.push({ kind, text, stars: NO_STARS, ...place });
    } else tokens.push({ kind: "string", ...readFilterString(filter, at + 1, position - 1), ...place });
  }
}

function describeCharacter(filter: string, at: number): string {
  const character = filter.charAt(at);
  if (character === '"' || character === "'") return `the string that begins here has no closing ${character}`;
  if (character === "!") return 'unexpected "!"; not equal is !=, and a negation is NOT or -';
  const number = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return `unexpected character U+${number}; values that hold it go in quotes`;
}
