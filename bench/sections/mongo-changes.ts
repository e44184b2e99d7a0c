import { cachedVerifyContestant } from "../load/verify-load.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { type Contestant, type Figure, measureRounds } from "../rounds.js";
import { type Changes, startChanges } from "../start-changes.js";
import { comparedRow, type Measured, plainRow } from "../table.js";
import { withServers } from "../with-servers.js";

const KEYS = 1_000;
const CHANGES_PER_SECOND = 200;
const TARGET = 0.9;

/**
 * Verification over REST of keys of which another client changes 200 a second, against the same without. The load shares its core
 * with that client and the server, so a second row says what the service would do if it were called as much as it can take.
 */
export async function benchMongoChanges(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  return withServers({ ...options, ...mongo.serviceOn(uri) }, async ({ service }) => {
    const quiet = await cachedVerifyContestant("quiet", service, await bodiesFile(KEYS));
    const rates: number[] = [];
    const figures = await measureRounds([whileChanging(quiet, uri, rates), quiet], options);
    const [changed, undisturbed] = [figures.get("changing") ?? [], figures.get("quiet") ?? []];
    return [
      comparedRow(
        `verify over REST, cached, ${CHANGES_PER_SECOND} changed keys a second to none, calls/s`,
        changed,
        undisturbed,
        TARGET,
      ),
      comparedRow(
        "the same, by the CPU time that changes take from calls, calls/s",
        changed.map((figure, round) => whenBusy(figure, undisturbed[round])),
        undisturbed.map(({ perCpuSecond }) => ({ perSecond: perCpuSecond, perCpuSecond })),
      ),
      plainRow("keys that were changed meanwhile, the fewest of a round, /s", Math.min(...rates)),
    ];
  });
}

function whileChanging(quiet: Contestant, uri: string, rates: number[]): Contestant {
  let changes: Changes | undefined;
  return {
    ...quiet,
    name: "changing",
    async prepare() {
      changes = await startChanges({ uri, keys: KEYS, perSecond: CHANGES_PER_SECOND });
    },
    async measure(seconds) {
      try {
        return await quiet.measure(seconds);
      } finally {
        if (changes !== undefined) rates.push(await changes.stop());
      }
    },
  };
}

/** What would be left for calls of a second of CPU time, each as dear as undisturbed. */
function whenBusy(figure: Figure, undisturbed?: Figure): Figure {
  const perCpuSecond = undisturbed?.perCpuSecond ?? Number.NaN;
  const usedSeconds = figure.perSecond / figure.perCpuSecond;
  const forChanges = usedSeconds - figure.perSecond / perCpuSecond;
  return { perSecond: perCpuSecond * (1 - forChanges), perCpuSecond };
}
