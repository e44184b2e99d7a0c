import { HTTP1_CONNECTIONS } from "../load/http1.js";
import { loopContestant } from "../load/loop.js";
import { verifyContestant } from "../load/verify-load.js";
import { MANY_KEYS, type Mongo, NO_CACHE } from "../mongo.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const TARGET = 3;

/** Verification over REST without the cache, each call with a key drawn from all of them, against as many reads at a time by the driver. */
export async function benchMongoVerify(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  return withServers({ ...options, ...mongo.serviceOn(uri, NO_CACHE) }, async ({ service, startLoops }) => {
    const reads = await startLoops("find-one", [uri, String(HTTP1_CONNECTIONS)]);
    const figures = await measureRounds(
      [
        await verifyContestant("service", service, await bodiesFile(MANY_KEYS)),
        loopContestant("findOne", reads, "findOne"),
      ],
      options,
    );
    const name = "verify over REST, not cached, MongoDB with 200,000 keys to findOne, calls/s";
    return [comparedRow(name, figures.get("service"), figures.get("findOne"), TARGET)];
  });
}
