import { verifyContestant } from "../load/verify-load.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { startChanges } from "../start-changes.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const KEYS = 10_000;
const CHANGES_PER_SECOND = 200;
const TARGET = 0.9;

/** Verification over REST of keys of which another client changes 200 a second, against the same without. */
export async function benchMongoChanges(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  return withServers({ ...options, ...mongo.serviceOn(uri) }, async ({ service }) => {
    const quiet = await verifyContestant("quiet", service, await bodiesFile(KEYS));
    const changing = {
      ...quiet,
      name: "changing",
      async measure(seconds: number) {
        const changes = await startChanges({ uri, keys: KEYS, perSecond: CHANGES_PER_SECOND });
        try {
          return await quiet.measure(seconds);
        } finally {
          await changes.stop();
        }
      },
    };
    const figures = await measureRounds([changing, quiet], options);
    const name = `verify over REST, cached, ${CHANGES_PER_SECOND} changed keys a second to none, calls/s`;
    return [comparedRow(name, figures.get("changing"), figures.get("quiet"), TARGET)];
  });
}
