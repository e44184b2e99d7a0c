/** Whatever a filter is, it is taken, or refused with INVALID_FILTER, in time that grows with its length and no faster. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ServiceError } from "../../src/errors.js";
import { compileMongo } from "../../src/query/compile-mongo.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { matchesFilter } from "../../src/query/filter-evaluator.js";
import { planFilter } from "../../src/query/plan-filter.js";
import { filterText } from "./filter-arbitrary.js";
import { SAMPLE_MONGO_FIELDS } from "./sample-documents.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

const RUNS = 10_000;
const MAX_MESSAGE_CHARACTERS = 1_000;

describe("is taken or refused", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...SAMPLE_FIELDS.map(({ path }) => path),
      ..."= != < <= > >= : . , ( ) - ! \" ' \\ * [ { $".split(" "),
    ),
    fc.constantFrom(
      " ",
      " AND ",
      " OR ",
      " NOT ",
      "NOT",
      "AND",
      "ACTIVE",
      "true",
      "20s",
      "-1",
      "2.5",
      '"1970-01-01T00:00:00Z"',
    ),
    fc.constantFrom(
      "\0",
      "\n",
      "\ud800",
      "\udc00",
      "\u00a0",
      "\u2028",
      "\\u00",
      "\\x",
      "😀",
      "__proto__",
      "constructor",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(3),
    inserted: fc.oneof(piece, fc.constant("")),
  });
  const mutated = fc.tuple(filterText, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((result, { at, removed, inserted }) => {
      const index = Math.floor(at * result.length);
      return result.slice(0, index) + inserted + result.slice(index + removed);
    }, text),
  );

  test.each([
    ["random bytes", fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1"))],
    ["random bytes as UTF-8", fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("utf8"))],
    ["halves of characters", fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units))],
    ["pieces of filters", fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(""))],
    ["filters with mistakes", mutated],
  ])("%s", (_what, texts: fc.Arbitrary<string>) => {
    const counts = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(texts, (text) => {
        counts[takeOrRefuse(text)]++;
      }),
      { seed: 19, numRuns: RUNS },
    );
    // Even among random bytes: the empty filter.
    expect(counts.taken).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(RUNS / 10);
  });
});

describe("takes time in proportion to its length", () => {
  const SHORT_CHARACTERS = 500;
  const LONG_CHARACTERS = 4_000;
  const ROUNDS = 30;
  /** Quadratic time would be 64 times as long, linear time 8 times. */
  const MAX_RATIO = 24;

  test.each([
    ["a text", (length: number) => `name=${"a".repeat(length)}`],
    ["a string", (length: number) => `name="${"a".repeat(length)}"`],
    ["escapes", (length: number) => `name<"${"\\x41".repeat(length / 4)}"`],
    ["stars", (length: number) => `name="${"*".repeat(length)}"`],
    ["a string without an end", (length: number) => `name="${"\\\\".repeat(length / 2)}\\`],
    ["quotes", (length: number) => `name=${`""`.repeat(length / 2)}`],
    ["dots", (length: number) => `metadata${".a".repeat(length / 2)}=1`],
    ["dots without a field", (length: number) => `a${".a".repeat(length / 2)}=1`],
    ["spaces", (length: number) => `name${" ".repeat(length)}=1`],
    ["arguments", (length: number) => `f(${"a,".repeat(length / 2)}a)`],
    ["minus signs", (length: number) => `${"-".repeat(length)}a`],
    ["digits", (length: number) => `limit.quota=${"1".repeat(length)}x`],
    ["decimals", (length: number) => `create_time="1970-01-01T00:00:00.${"0".repeat(length)}Z"`],
    ["terms", (length: number) => Array.from({ length: 60 }, () => `name="${"a".repeat(length / 60 - 9)}"`).join(" ")],
    ["characters of two halves", (length: number) => `name=${"😀".repeat(length / 4)} b=`],
  ])("of %s", (_what, filter) => {
    const [short, long] = [filter(SHORT_CHARACTERS), filter(LONG_CHARACTERS)];
    // The best of many rounds is what the work takes, whatever else the machine does.
    const best = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
    for (let round = 0; round < ROUNDS; round++) {
      best.short = Math.min(best.short, timeNs(() => repeat(8, () => takeOrRefuse(short))) / 8);
      best.long = Math.min(
        best.long,
        timeNs(() => takeOrRefuse(long)),
      );
    }
    expect(best.long / best.short).toBeLessThan(MAX_RATIO);
  });
});

test("the longest filters are taken: 64 terms, 32 parentheses, 4 KiB", () => {
  const terms = Array.from({ length: 64 }, (_, index) => `metadata.k${index}="${"a".repeat(40)}"`);
  expect(takeOrRefuse(terms.join(" OR "))).toBe("taken");
  expect(takeOrRefuse(`${"NOT (".repeat(32)}name=a${")".repeat(32)}`)).toBe("taken");
  expect(takeOrRefuse(`name="${"a".repeat(4096 - 7)}"`)).toBe("taken");
});

function takeOrRefuse(text: string): "taken" | "refused" {
  try {
    const filter = checkFilter(text, SAMPLE_FIELDS);
    compileMongo(filter, SAMPLE_MONGO_FIELDS);
    planFilter(filter);
    matchesFilter(filter, () => undefined);
    return "taken";
  } catch (error) {
    if (!(error instanceof ServiceError) || error.reason !== "INVALID_FILTER") throw error;
    const [violation] = error.fields;
    const isDocumented =
      /^filter: (?:must be at most 4096 bytes$|column [1-9]\d*: [^\n]+\n[^\n]*\n *\^$)/u.test(error.message) &&
      error.message.length <= MAX_MESSAGE_CHARACTERS &&
      violation?.field === "filter" &&
      error.message.startsWith(`filter: ${violation.description.replace(/…$/, "")}`);
    if (!isDocumented) throw new Error(`the error is another one: ${error.message}`);
    return "refused";
  }
}

function timeNs(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start);
}

function repeat(times: number, run: () => unknown): void {
  for (let index = 0; index < times; index++) run();
}
