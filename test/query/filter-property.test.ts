/**
 * The evaluator and the compiled query, run by mingo, agree on random filters and records. `LATCHKEY_TEST_FILTER_PAIRS` says on
 * how many (100,000 take ten seconds).
 */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Query } from "mingo";
import { compileMongo } from "../../src/query/compile-mongo.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { matchesFilter } from "../../src/query/filter-evaluator.js";
import { planFilter } from "../../src/query/plan-filter.js";
import { filterText, sampleRecord } from "./filter-arbitrary.js";
import { documentFromSample, SAMPLE_MONGO_FIELDS, type SampleRecord } from "./sample-documents.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

const PAIRS = Number(process.env.LATCHKEY_TEST_FILTER_PAIRS ?? 5_000);
const RECORDS = 10;
const TIMEOUT_MS = 600_000;

const filterAndRecords = fc.tuple(filterText, fc.array(sampleRecord, { minLength: RECORDS, maxLength: RECORDS }));

test(
  "what a filter matches, its query finds, and nothing else when it is exact",
  () => {
    const counts = { pairs: 0, exact: 0, matches: 0, exactMatches: 0, foundInVain: 0 };
    fc.assert(
      fc.property(filterAndRecords, ([text, records]) => {
        const filter = checkFilter(text, SAMPLE_FIELDS);
        const { query, exact } = compileMongo(filter, SAMPLE_MONGO_FIELDS);
        const mingo = new Query(query);
        for (const record of records) {
          const isMatch = matchesFilter(filter, reader(record));
          const isFound = mingo.test(documentFromSample(record));
          if (exact || isMatch) expect({ query, record, isFound }).toEqual({ query, record, isFound: isMatch });
          counts.pairs++;
          counts.exact += Number(exact);
          counts.matches += Number(isMatch);
          counts.exactMatches += Number(exact && isMatch);
          counts.foundInVain += Number(isFound && !isMatch);
        }
      }),
      { seed: 15, numRuns: Math.ceil(PAIRS / RECORDS) },
    );
    // Else the agreement would say little.
    expect(counts.exact / counts.pairs).toBeGreaterThan(0.4);
    expect(counts.exactMatches / counts.exact).toBeGreaterThan(0.2);
    expect(counts.matches / counts.pairs).toBeLessThan(0.8);
    expect(counts.foundInVain).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test("a plan says what the filter says", () => {
  const indexed = fc.constantFrom(
    "actor_id = a",
    'actor_id = ""',
    "status = ACTIVE",
    'create_time > "1970-01-01T00:00:00.999Z"',
    'create_time <= "1970-01-01T00:00:01.0001Z"',
    'create_time = "1970-01-01T00:00:01Z"',
  );
  const text = fc.array(fc.oneof(indexed, filterText), { maxLength: 4 }).map((terms) => terms.join(" AND "));
  let planned = 0;
  fc.assert(
    fc.property(text, fc.array(sampleRecord, { minLength: RECORDS, maxLength: RECORDS }), (filterOfTerms, records) => {
      const filter = checkFilter(filterOfTerms, SAMPLE_FIELDS);
      const { equals, ranges, residual, isEmpty } = planFilter(filter);
      for (const record of records) {
        const read = reader(record);
        const isServed =
          !isEmpty &&
          [...equals].every(([path, value]) => read(path) === value) &&
          [...ranges].every(([path, { fromMs = -Infinity, toMs = Infinity }]) => {
            const value = read(path);
            return value instanceof Date && value.getTime() >= fromMs && value.getTime() <= toMs;
          });
        const isMatch = matchesFilter(filter, read);
        expect({ record, isMatch: isServed && matchesFilter(residual, read) }).toEqual({ record, isMatch });
        planned += Number(isMatch && equals.size + ranges.size > 0);
      }
    }),
    { seed: 16, numRuns: 500 },
  );
  expect(planned).toBeGreaterThan(50);
});

function reader(record: SampleRecord): (path: string) => unknown {
  return (path) => record[path as keyof SampleRecord];
}
