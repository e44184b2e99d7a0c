import type { MemberNode } from "./filter-ast.js";

/** A value as the filter writes it. */
export interface FilterLiteral {
  readonly at: number;
  readonly text: string;
  readonly isQuoted: boolean;
  /** Indices into `text` of the `*` that were not escaped; none in a text without quotes. */
  readonly stars: readonly number[];
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const DURATION = /^(-?\d+(?:\.\d+)?)s$/;
const RFC3339 =
  /^(\d{4}-\d{2})-(\d{2})T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,3})(\d*))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** A time between two milliseconds: it equals none, and is more than the one and less than the other. */
const BETWEEN_MS = 0.5;

/** The value that a member is: one quoted string, or texts with dots such as `2.5` or `com.example`. Else undefined. */
export function literalFromMember({ at, parts }: MemberNode): FilterLiteral | undefined {
  if (parts.length === 1) return parts[0];
  if (parts.some(({ isQuoted }) => isQuoted)) return undefined;
  return { at, text: parts.map(({ text }) => text).join("."), isQuoted: false, stars: [] };
}

/** `*` by itself, quoted or not, which after `:` asks whether there is any value. */
export function isStar({ text, isQuoted, stars }: FilterLiteral): boolean {
  return text === "*" && (!isQuoted || stars.length === 1);
}

/** An integer or a float in decimal. */
export function parseNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const number = Number(text);
  // Zero has no sign here, as it has none in a comparison.
  return Number.isFinite(number) ? number + 0 : undefined;
}

/** Milliseconds. AIP-160 writes a duration in seconds, with an "s": `20s`, `1.2s`. */
export function parseDurationMs(text: string): number | undefined {
  const seconds = DURATION.exec(text)?.[1];
  // Moves the decimal point by itself: 1000 times a binary fraction is not always what was written.
  return seconds === undefined ? undefined : parseNumber(`${seconds}e3`);
}

/** Milliseconds of Unix time of an RFC 3339 timestamp; of one between two milliseconds, half of one after the first. */
export function parseTimestampMs(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, month, day, time, milliseconds = "", rest = "", offset] = match;
  // Date takes February 30th for March 2nd; a day that is there reads back.
  if (new Date(Date.parse(`${month}-${day}T00:00:00Z`) || 0).getUTCDate() !== Number(day)) return undefined;
  const parsed = Date.parse(`${month}-${day}T${time}.${milliseconds.padEnd(3, "0")}${offset?.toUpperCase()}`);
  if (Number.isNaN(parsed)) return undefined;
  return /[1-9]/.test(rest) ? parsed + BETWEEN_MS : parsed;
}
