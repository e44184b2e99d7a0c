/**
 * Writes of imported keys to an embedded store, and nothing else: no ids to compute, no request, no answer.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/store-writes.ts STORE_DIRECTORY BATCH CALLERS
 */
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import type { KeyRecord } from "../../src/store/key-store.js";
import { callForAWhile } from "../call-for-a-while.js";
import { createImportedRecord } from "../imported-record.js";
import { serveLoops } from "./serve-loops.js";

const [directory = "", batchText, callersText] = process.argv.slice(2);
const batch = Number(batchText);
const store = await openEmbeddedStore({ directory });
let prepared: KeyRecord[][] = [];

serveLoops({
  /** Makes so many batches. */
  prepare: (count) => {
    prepared = Array.from({ length: count }, () => Array.from({ length: batch }, createImportedRecord));
    return count;
  },
  /** Writes what was prepared; answers keys per second. */
  insert: async () => batch * (await callForAWhile(Number(callersText), Number.POSITIVE_INFINITY, insertNext)),
});

async function insertNext(): Promise<boolean> {
  const records = prepared.pop();
  if (records === undefined) return false;
  const results = await store.insertMany(records);
  if (results.some(({ outcome }) => outcome !== "inserted")) throw new Error("a record was there before");
  return true;
}
