import { filledStore, warmUp } from "../filled-store.js";
import { verifyContestant } from "../load/verify-load.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";

const MANY = 1_000_000;
const FEW = 10_000;
const TARGET = 0.8;

/** Verification over REST, each call with a key drawn from all of them, with many keys in the embedded store and with few. */
export async function benchKeys(options: Options, say: (text: string) => void): Promise<Measured[]> {
  const services: Service[] = [];
  try {
    const contestant = async (count: number) => {
      const { dataDir, bodiesFile } = await filledStore(count, say);
      await warmUp(dataDir);
      const service = await Service.start({ dataDir, cpuProf: options.cpuProf });
      services.push(service);
      return verifyContestant(String(count), service, bodiesFile);
    };
    const figures = await measureRounds([await contestant(MANY), await contestant(FEW)], options);
    const name = "verify over REST at 1,000,000 keys to 10,000, calls/s";
    return [comparedRow(name, figures.get(String(MANY)), figures.get(String(FEW)), TARGET)];
  } finally {
    for (const service of services) await service.stop();
  }
}
