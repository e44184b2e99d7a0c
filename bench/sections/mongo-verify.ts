import { HTTP1_CONNECTIONS } from "../load/http1.js";
import { loopContestant } from "../load/loop.js";
import { verifyContestant } from "../load/verify-load.js";
import { MANY_KEYS, type Mongo, NO_CACHE } from "../mongo.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const CALLERS = String(HTTP1_CONNECTIONS);
const TARGET = 3;

/**
 * Verification without the cache, each call with a key drawn from all of them, over REST and in process, against as many reads at
 * a time by the driver.
 */
export async function benchMongoVerify(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  return withServers({ ...options, ...mongo.serviceOn(uri, NO_CACHE) }, async ({ service, startLoops }) => {
    const bodies = await bodiesFile(MANY_KEYS);
    const inProcess = await startLoops("verify-stored", [uri, service.dataDir, bodies, CALLERS]);
    const reads = await startLoops("find-one", [uri, CALLERS]);
    const figures = await measureRounds(
      [
        await verifyContestant("over REST", service, bodies),
        loopContestant("in process", inProcess, "verify"),
        loopContestant("findOne", reads, "findOne"),
      ],
      options,
    );
    const row = (how: string) => {
      const name = `verify ${how}, not cached, MongoDB with 200,000 keys to findOne, calls/s`;
      return comparedRow(name, figures.get(how), figures.get("findOne"), TARGET);
    };
    return [row("over REST"), row("in process")];
  });
}
