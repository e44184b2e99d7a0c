import { cachedVerifyContestant } from "../load/verify-load.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { type Contestant, type Figure, measureRounds } from "../rounds.js";
import { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";

const KEYS = 1_000;
const WORKERS = 2;
const TARGET = 1.6;

/**
 * Verification over REST by two workers, against one. On two cores the load takes some of the second one, so the row with a
 * target counts calls for each second of CPU time that the workers had, times their number: what they would do with a core each.
 */
export async function benchMongoWorkers(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri, bodiesFile } = await mongo.filled(say);
  const bodies = await bodiesFile(KEYS);
  const services: Service[] = [];
  const contestant = async (workers: number): Promise<Contestant> => {
    const words = ["--workers", String(workers)];
    const service = await Service.start({ ...mongo.serviceOn(uri), words, role: "workers", cpuProf: options.cpuProf });
    services.push(service);
    return cachedVerifyContestant(String(workers), service, bodies);
  };
  try {
    const figures = await measureRounds([await contestant(WORKERS), await contestant(1)], options);
    const [two, one] = [figures.get(String(WORKERS)), figures.get("1")];
    return [
      comparedRow("verify over REST, cached, 2 workers to 1, the load on a core of theirs, calls/s", two, one),
      comparedRow("the same, with a core for each worker, calls/s", withCores(two, WORKERS), withCores(one, 1), TARGET),
    ];
  } finally {
    for (const service of services) await service.stop();
  }
}

function withCores(figures: readonly Figure[] = [], cores: number): Figure[] {
  return figures.map(({ perCpuSecond }) => ({ perSecond: perCpuSecond * cores, perCpuSecond }));
}
