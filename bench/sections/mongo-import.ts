import { BATCH, importContestant, writesContestant } from "../load/import-load.js";
import { createPoster } from "../load/post.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

/** Two callers, so that the next batch is there when one is done, and none waits for as long as the store may take. */
const LOAD = { batchesPerSecond: 2, callers: 2 };
const TARGET = 0.5;

/** Imports of 1,000 keys in a call over REST, against inserts of such documents by the driver. Both from empty databases. */
export function benchMongoImport(options: Options, say: (text: string) => void, mongo: Mongo): Promise<Measured[]> {
  return withServers({ ...options, ...mongo.serviceOn(mongo.createDatabase()) }, async ({ service, startLoops }) => {
    const keys = options.seconds * LOAD.batchesPerSecond * BATCH;
    say(`mongo-import: rounds of ${keys.toLocaleString("en-US")} keys, ${LOAD.callers} calls at a time`);
    const writes = await startLoops("insert-many", [mongo.createDatabase(), String(BATCH), String(LOAD.callers)]);
    const poster = createPoster(service, LOAD.callers);
    try {
      const contestants = [importContestant(service, poster.post, LOAD), writesContestant(writes, LOAD)];
      const figures = await measureRounds(contestants, options);
      const name = `import ${BATCH.toLocaleString("en-US")} in a call over REST, MongoDB to insertMany, keys/s`;
      return [comparedRow(name, figures.get("service"), figures.get("writes"), TARGET)];
    } finally {
      poster.close();
    }
  });
}
