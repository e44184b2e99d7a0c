/**
 * Point reads of the keys in a MongoDB by the driver, and nothing else, as the service's driver is told to read.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/find-one.ts URI CALLERS
 */
import { randomInt } from "node:crypto";
import { connectMongo } from "../../src/store/mongo/connect.js";
import { callForAWhile } from "../call-for-a-while.js";
import { serveLoops } from "./serve-loops.js";

const TIMEOUT_MS = 60_000;

const [uri = "", callersText] = process.argv.slice(2);
const { keys } = await connectMongo({ uri, timeoutMs: TIMEOUT_MS }, async (connection) => connection);
const ids = (await keys.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);

serveLoops({
  /** For so many seconds; answers reads per second. */
  findOne: (seconds) =>
    callForAWhile(Number(callersText), seconds, async () => {
      const _id = ids[randomInt(ids.length)] ?? "";
      if ((await keys.findOne({ _id })) === null) throw new Error("a key is not there");
      return true;
    }),
});
