/** Why a filter that others take is refused here, and what its error says. */
const NO_BARE_LITERALS = "a literal by itself is refused: nothing says which fields it would be searched in";
const NO_FUNCTIONS = "there are no functions";
const FIELD_ON_THE_LEFT = "the field is on the left (AIP-160)";
const OTHER_TYPE = "what can never be true for its type is an error, not false";
const WILDCARD_AT_THE_ENDS = "a wildcard is at the ends of a string only";

const MESSAGES = {
  [NO_BARE_LITERALS]: /is compared with nothing/,
  [NO_FUNCTIONS]: /there is no function/,
  [FIELD_ON_THE_LEFT]: /the field is on the left of its value/,
  [OTHER_TYPE]: /is no value of|has nothing within it/,
  [WILDCARD_AT_THE_ENDS]: /is a wildcard at the ends of a string only/,
};

/** The decision that an error stands for. */
export function decisionOf(message: string): string {
  return Object.entries(MESSAGES).find(([, pattern]) => pattern.test(message))?.[0] ?? `none: ${message}`;
}

/** The vectors that are decided otherwise, all of them. */
export const DECIDED_OTHERWISE = {
  syntax: [
    // 50 parentheses within each other; at most 32 are taken, which AIP-160 leaves to the service.
    `${"(".repeat(50)}a${")".repeat(50)}`,
  ],
  typed: {
    [NO_BARE_LITERALS]: ["a", 'author = "Karin Boye" AND NOT read', "NOT (a OR b)", "prod"],
    [NO_FUNCTIONS]: [
      "regex(m.key, '^.*prod.*$')",
      "math.mem('30mb')",
      "(endsWith(msg, 'world') AND retries < 10)",
      "expire_time > time.now()",
      'time.now() > timestamp("2012-04-21T11:30:00-04:00")',
      'ttl > duration("30s")',
      "ttl > duration(input_field)",
      'create_time > timestamp("2006-01-02T15:04:05+07:00")',
      'start_time > timestamp("2006-01-02T15:04:05+07:00") AND\n\t\t\t\t(driver = "driver1" OR start_driver = "driver1" OR end_driver = "driver1")',
    ],
    [FIELD_ON_THE_LEFT]: ["1 > 0", "2.5 >= 2.4", "-2.5 >= -2.4"],
  },
  unescape: [
    // Not a string literal, but a text without quotes, in which a star is a character.
    "*hello*",
  ],
  eval: {
    [NO_BARE_LITERALS]: [
      "Madoka",
      "7",
      '"hello world"',
      "Homura Madoka",
      "a or b",
      "not",
      "true",
      "null",
      "Mitakihara Magical Girls OR Witches",
      "a b AND c AND d",
      "Madoka power = 7",
      "NOT a b",
      "café",
      "42",
      "a.b",
      "needle",
      "foo",
      "x",
    ],
    [OTHER_TYPE]: [
      "a = True",
      'a <= "hello"',
      "a.0 = x",
      "a.0 != x",
      "a.b = 1",
      "a = b.c",
      "active = False",
      'a > "hello"',
    ],
    [WILDCARD_AT_THE_ENDS]: ['name = "foo*bar"', 'name = "a*b*c"', 'name = "foo*[bar]"'],
  },
};
