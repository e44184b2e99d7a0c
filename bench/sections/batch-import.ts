import { join } from "node:path";
import { BATCH, importContestant, writesContestant } from "../load/import-load.js";
import { createPoster } from "../load/post.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

/** Callers, so that the next batch is there when one is done. */
const LOAD = { batchesPerSecond: 10, callers: 4 };
const TARGET = 0.5;

/** Imports of 1,000 keys in a call over REST, against writes of such records to a store. Both are durable, from empty stores. */
export function benchBatchImport(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startLoops, work }) => {
    const keys = options.seconds * LOAD.batchesPerSecond * BATCH;
    say(`batch-import: rounds of ${keys.toLocaleString("en-US")} keys, ${LOAD.callers} calls at a time`);
    const writes = await startLoops("store-writes", [join(work, "store"), String(BATCH), String(LOAD.callers)]);
    const poster = createPoster(service, LOAD.callers);
    try {
      const figures = await measureRounds(
        [importContestant(service, poster.post, LOAD), writesContestant(writes, LOAD)],
        options,
      );
      const name = `import ${BATCH.toLocaleString("en-US")} in a call over REST to store writes, keys/s`;
      return [comparedRow(name, figures.get("service"), figures.get("writes"), TARGET)];
    } finally {
      poster.close();
    }
  });
}
