import { filterError } from "./filter-error.js";

export interface FilterString {
  readonly text: string;
  /** Indices into `text` of the `*` that were not escaped. */
  readonly stars: readonly number[];
}

const PIECE =
  /[^\\*]+|(?<star>\*)|\\(?:(?<character>[abfnrtv'"\\?*])|(?<octal>[0-3][0-7]{2})|x(?<hex>[\dA-Fa-f]{2})|u(?<hex4>[\dA-Fa-f]{4})|U(?<hex8>[\dA-Fa-f]{8}))/suy;

/** The letters that stand for something else than themselves. */
const CONTROLS: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const MAX_CODE_POINT = 0x10ffff;

/**
 * The text of a quoted string, which is at `start` up to `end` in the filter without its quotes. AIP-160 leaves the escapes
 * open; these are those of CEL's strings, where a number means a code point:
 *
 *     escape = "\" ( "a" | "b" | "f" | "n" | "r" | "t" | "v" | "'" | '"' | "\" | "?" | "*" )
 *            | "\" three octal digits, up to 377
 *            | "\x" two hex digits | "\u" four hex digits | "\U" eight hex digits
 *
 * `\*` is ours: the character, where a plain `*` is a wildcard. Throws INVALID_FILTER at any other escape, and at one that
 * is no character of its own (a surrogate).
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values
 */
export function readFilterString(filter: string, start: number, end: number): FilterString {
  const body = filter.slice(start, end);
  const stars: number[] = [];
  let text = "";
  for (let index = 0; index < body.length; index = PIECE.lastIndex) {
    PIECE.lastIndex = index;
    const match = PIECE.exec(body);
    if (match === null) throw filterError(filter, start + index, "unknown escape; a backslash is written \\\\");
    const [piece, groups = {}] = [match[0], match.groups];
    if (groups.star !== undefined) stars.push(text.length);
    const decoded = decodePiece(piece, groups);
    if (decoded === undefined) throw filterError(filter, start + index, "the escape is no character of Unicode");
    text += decoded;
  }
  return { text, stars };
}

function decodePiece(piece: string, groups: Readonly<Record<string, string | undefined>>): string | undefined {
  const { character, octal, hex, hex4, hex8 } = groups;
  if (character !== undefined) return CONTROLS[character] ?? character;
  if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
  const digits = hex ?? hex4 ?? hex8;
  if (digits === undefined) return piece;
  const codePoint = Number.parseInt(digits, 16);
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  return codePoint > MAX_CODE_POINT || isSurrogate ? undefined : String.fromCodePoint(codePoint);
}
