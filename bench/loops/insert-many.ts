/**
 * Inserts of documents like imported keys into a MongoDB by the driver, and nothing else; into a collection with the service's
 * indexes, and as durable.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/insert-many.ts URI BATCH CALLERS
 */
import { connectMongo } from "../../src/store/mongo/connect.js";
import { documentFromRecord, FIRST_VERSION, type KeyDocument } from "../../src/store/mongo/key-document.js";
import { migrateMongo } from "../../src/store/mongo/migrate-mongo.js";
import { callForAWhile } from "../call-for-a-while.js";
import { createImportedRecord } from "../imported-record.js";
import { serveLoops } from "./serve-loops.js";

const TIMEOUT_MS = 60_000;

const [uri = "", batchText, callersText] = process.argv.slice(2);
const batch = Number(batchText);
const server = { uri, timeoutMs: TIMEOUT_MS };
await migrateMongo(server);
const { keys } = await connectMongo(server, async (connection) => connection);
let prepared: KeyDocument[][] = [];

serveLoops({
  /** Makes so many batches. */
  prepare: (count) => {
    const createDocument = () => documentFromRecord(createImportedRecord(), FIRST_VERSION);
    prepared = Array.from({ length: count }, () => Array.from({ length: batch }, createDocument));
    return count;
  },
  /** Writes what was prepared; answers keys per second. */
  insert: async () => batch * (await callForAWhile(Number(callersText), Number.POSITIVE_INFINITY, insertNext)),
});

async function insertNext(): Promise<boolean> {
  const documents = prepared.pop();
  if (documents === undefined) return false;
  await keys.insertMany(documents, { ordered: false });
  return true;
}
