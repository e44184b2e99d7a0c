import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { KEY_ATTRIBUTES } from "../api.js";
import { callForAWhile } from "../call-for-a-while.js";
import { measureLoop } from "../load/loop.js";
import { createPoster, type Post } from "../load/post.js";
import type { Options } from "../options.js";
import { type Contestant, measureRounds } from "../rounds.js";
import type { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const BATCH = 1_000;
/** Of a round. Both import the same number of keys: a store gets slower as it grows. */
const BATCHES_PER_SECOND = 10;
/** So that the next batch is there when one is done; the store has as many writes under way. */
const CALLERS = 4;
const TARGET = 0.5;
const BATCH_IMPORT = "/v2alpha1/admin/importedApiKeys:batchImport";
const RAW_KEY_BYTES = 24;

/** Imports of 1,000 keys in a call over REST, against writes of such records to a store. Both are durable, from empty stores. */
export function benchBatchImport(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async ({ service, startLoops, work }) => {
    const keys = options.seconds * BATCHES_PER_SECOND * BATCH;
    say(`batch-import: rounds of ${keys.toLocaleString("en-US")} keys, ${CALLERS} calls at a time`);
    const writes = await startLoops("store-writes", [join(work, "store"), String(BATCH), String(CALLERS)]);
    const poster = createPoster(service, CALLERS);
    try {
      const figures = await measureRounds(
        [
          importContestant(service, poster.post),
          {
            name: "store",
            server: writes,
            prepare: async (seconds) => void (await measureLoop(writes, "prepare", seconds * BATCHES_PER_SECOND)),
            measure: (seconds) => measureLoop(writes, "insert", seconds),
          },
        ],
        options,
      );
      const name = `import ${BATCH.toLocaleString("en-US")} in a call over REST to store writes, keys/s`;
      return [comparedRow(name, figures.get("service"), figures.get("store"), TARGET)];
    } finally {
      poster.close();
    }
  });
}

function importContestant({ process: server }: Service, post: Post): Contestant {
  let prepared: string[] = [];
  const importNext = async () => {
    const body = prepared.pop();
    if (body === undefined) return false;
    const answer = await post(BATCH_IMPORT, body, 200);
    if (!answer.includes(`"success_count":${BATCH},`)) throw new Error(`not every key was imported: ${answer}`);
    return true;
  };
  return {
    name: "service",
    server,
    async prepare(seconds) {
      prepared = Array.from({ length: seconds * BATCHES_PER_SECOND }, createBody);
    },
    measure: async () => BATCH * (await callForAWhile(CALLERS, Number.POSITIVE_INFINITY, importNext)),
  };
}

/** Keys that nobody has imported. */
function createBody(): string {
  const requests = Array.from({ length: BATCH }, () => ({
    raw_key: `legacy-${randomBytes(RAW_KEY_BYTES).toString("hex")}`,
    ...KEY_ATTRIBUTES,
  }));
  return JSON.stringify({ requests });
}
