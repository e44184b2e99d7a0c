/** The third opinion besides the evaluator's and mingo's: a server, on as many filters as it answers in a few seconds. */
import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MongoClient } from "mongodb";
import { compileMongo } from "../../src/query/compile-mongo.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { matchesFilter } from "../../src/query/filter-evaluator.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { filterText, sampleRecord } from "./filter-arbitrary.js";
import { documentFromSample, SAMPLE_MONGO_FIELDS, type SampleRecord } from "./sample-documents.js";
import { SAMPLE_FIELDS } from "./sample-fields.js";

const RECORDS = 200;
const FILTERS = 300;
const TIMEOUT_MS = 60_000;

const server = await mongoTestUri();

(server === undefined ? describe.skip : describe)(
  server === undefined ? `a compiled filter, ${MONGO_SKIPPED}` : "a compiled filter on a server",
  () => {
    const client = new MongoClient(server?.uri ?? "mongodb://127.0.0.1");
    afterAll(async () => {
      await client.close();
      await server?.dispose();
    });

    test(
      "finds what the evaluator matches, and nothing else when it is exact",
      async () => {
        const records = fc.sample(sampleRecord, { seed: 17, numRuns: RECORDS });
        const samples = client.db().collection<{ _id: number }>("samples");
        await samples.insertMany(records.map((record, index) => ({ _id: index, ...documentFromSample(record) })));
        let matchCount = 0;
        for (const text of fc.sample(filterText, { seed: 18, numRuns: FILTERS })) {
          const filter = checkFilter(text, SAMPLE_FIELDS);
          const { query, exact } = compileMongo(filter, SAMPLE_MONGO_FIELDS);
          const found = await samples.find(query, { projection: { _id: 1 }, sort: { _id: 1 } }).toArray();
          const ids = found.map(({ _id }) => _id);
          const matching = records.flatMap((record, index) => (matches(filter, record) ? [index] : []));
          const wanted = exact ? ids : ids.filter((id) => matching.includes(id));
          expect({ text, ids: wanted }).toEqual({ text, ids: matching });
          matchCount += matching.length;
        }
        expect(matchCount).toBeGreaterThan(RECORDS * FILTERS * 0.2);
      },
      TIMEOUT_MS,
    );
  },
);

function matches(filter: ReturnType<typeof checkFilter>, record: SampleRecord): boolean {
  return matchesFilter(filter, (path) => record[path as keyof SampleRecord]);
}
