import { filledStore, warmUp } from "../filled-store.js";
import { cachedVerifyContestant, verifyContestant } from "../load/verify-load.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";

/** Few, so that reading them again after `cache.ttl` does not count. */
const KEYS = 1_000;
const TARGET = 0.95;

/** Verification over REST of keys that are remembered, against the same in the embedded store. */
export async function benchMongoCached(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  const embedded = await filledStore(KEYS, say);
  await warmUp(embedded.dataDir);
  const services: Service[] = [];
  const start = async (...[started]: Parameters<typeof Service.start>) => {
    const service = await Service.start({ cpuProf: options.cpuProf, ...started });
    services.push(service);
    return service;
  };
  try {
    const figures = await measureRounds(
      [
        await cachedVerifyContestant("MongoDB", await start(mongo.serviceOn(uri)), await bodiesFile(KEYS)),
        await verifyContestant("embedded", await start({ dataDir: embedded.dataDir }), embedded.bodiesFile),
      ],
      options,
    );
    const name = "verify over REST, cached, MongoDB to the embedded store, calls/s";
    return [comparedRow(name, figures.get("MongoDB"), figures.get("embedded"), TARGET)];
  } finally {
    for (const service of services) await service.stop();
  }
}
