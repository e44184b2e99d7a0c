/** Filters whose time to check is measured: a typical one, and those that somebody could send to make the service work. */

export interface FilterShape {
  readonly text: string;
  /** Whether it is an error, found as late as its kind allows. */
  readonly isRefused: boolean;
}

/** A filter that lists are asked for with. */
export const TYPICAL_FILTER: FilterShape = taken(
  'actor_id="team-a" AND status=KEY_STATUS_ACTIVE AND create_time > "2026-01-01T00:00:00Z"',
);

/** The longest filter that is taken, and the most of each thing in one. */
const MAX_BYTES = 4_096;
const MAX_TERMS = 64;
const MAX_DEPTH = 32;
const MAX_PATH_NAMES = 32;

/** So many leave room for 64 terms. */
const DEPTH_OF_EACH = MAX_DEPTH - 4;

/** All as long as a filter may be, and ASCII. Where 64 terms are shorter, the rest is spaces. */
export const LONGEST_FILTERS: ReadonlyMap<string, FilterShape> = new Map(
  Object.entries({
    "64-terms": taken(terms('actor_id="team-a" AND create_time > "2026-01-01T00:00:00Z"', " AND ", MAX_TERMS / 2)),
    "64-terms-with-not-and-or": taken(terms("NOT name:a OR -name:b", " ", MAX_TERMS / 2)),
    "64-terms-with-wildcards": taken(terms('name="*team*"', " AND ")),
    "63-short-paths-and-a-value-of-many-names": taken(
      filled(`${terms("metadata.a:*", " ", MAX_TERMS - 1)} name=`, "a.", "a"),
    ),
    "long-paths": taken(terms(`metadata${".a".repeat(MAX_PATH_NAMES)}:a`)),
    "long-paths-of-quoted-names": taken(terms(`metadata${'.""'.repeat(MAX_PATH_NAMES / 2)}:a`)),
    "deep-parentheses": taken(terms(`${"(".repeat(DEPTH_OF_EACH)}name:a${")".repeat(DEPTH_OF_EACH)}`)),
    "a-long-string": taken(filled('name="', "a", '"')),
    "a-string-of-escapes": taken(filled('name="', "\\a", '"')),
    "a-string-of-escapes-and-letters": taken(filled('name="', "\\aa", '"')),
    "a-string-of-stars": taken(filled('scopes:"', "*", '"')),
    "64-strings-of-stars": taken(terms(`scopes:"${"*".repeat(MAX_BYTES / MAX_TERMS - 'scopes:"" '.length)}"`)),
    "a-value-of-many-names": taken(filled("name=", "a.", "a")),
    "an-unknown-field-of-many-names": refused(filled("a.", "a.", "a=1")),
    "a-path-of-too-many-names": refused(filled("metadata.", "a.", "a=1")),
    "a-function-of-many-arguments": refused(filled("f(", "a,", "a)")),
    "a-function-of-many-negative-numbers": refused(filled("f(", "-1,", "1)")),
    "too-many-parentheses": refused(filled("", "(", "")),
    "an-error-after-63-terms": refused(`${terms("metadata.a=1", " ", MAX_TERMS - 1)} x`),
    "an-error-after-a-string-of-escapes": refused(filled('name="', "\\a", '" x')),
    "a-string-without-an-end": refused(filled('name="', "\\a", "")),
  }).map(([name, { text, isRefused }]) => [name, { text: text.padEnd(MAX_BYTES), isRefused }]),
);

function taken(text: string): FilterShape {
  return { text, isRefused: false };
}

function refused(text: string): FilterShape {
  return { text, isRefused: true };
}

/** As many of a term as there is room for, at most `most`. */
function terms(term: string, between = " ", most = MAX_TERMS): string {
  const room = Math.floor((MAX_BYTES + between.length) / (term.length + between.length));
  return Array.from({ length: Math.min(most, room) }, () => term).join(between);
}

/** As many of the middle as there is room for. */
function filled(start: string, middle: string, end: string): string {
  return start + middle.repeat(Math.floor((MAX_BYTES - start.length - end.length) / middle.length)) + end;
}
