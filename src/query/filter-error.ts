import { ServiceError } from "../errors.js";

/** Of the filter on either side of an error, in code points. */
const EXCERPT_CHARACTERS = 60;
/** Longest part of a filter that an error names, in code points. */
const MAX_NAMED_CHARACTERS = 64;
/** What would move the caret, or break the line that it is under. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * The one error of a filter: INVALID_FILTER, which says the column (from 1, in code points), what is wrong there, and shows
 * the place:
 *
 *     filter: column 10: expected a value
 *     actor_id=
 *              ^
 *
 * Its field violation has the first line only. `at` is an index into `filter`.
 */
export function filterError(filter: string, at: number, problem: string): ServiceError {
  const before = [...filter.slice(0, at)];
  const shownBefore = before.slice(-EXCERPT_CHARACTERS);
  const shownAfter = [...filter.slice(at, at + 2 * EXCERPT_CHARACTERS)].slice(0, EXCERPT_CHARACTERS);
  const excerpt = [...shownBefore, ...shownAfter].join("").replace(UNPRINTABLE, " ");
  const place = `\n${excerpt}\n${" ".repeat(shownBefore.length)}^`;
  return invalidFilter(`column ${before.length + 1}: ${problem}`, place);
}

/** The error of a filter as a whole; `place` follows the description in the message. */
export function invalidFilter(description: string, place = ""): ServiceError {
  const fields = [{ field: "filter", description }];
  return new ServiceError("INVALID_FILTER", `filter: ${description}${place}`, { fields });
}

/** A part of the filter, for an error's text: on one line, and cut when it is long. */
export function named(text: string): string {
  const characters = [...text];
  const cut = characters.length > MAX_NAMED_CHARACTERS;
  const shown = cut ? `${characters.slice(0, MAX_NAMED_CHARACTERS - 1).join("")}…` : text;
  return `"${shown.replace(UNPRINTABLE, " ")}"`;
}
