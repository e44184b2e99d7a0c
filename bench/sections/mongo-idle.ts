import { setTimeout as delay } from "node:timers/promises";
import { startFaultProxy } from "../../test/store/mongo-fault-proxy.js";
import { type Mongo, NO_CACHE } from "../mongo.js";
import type { Options } from "../options.js";
import { Service } from "../service.js";
import { type Measured, plainRow } from "../table.js";

const MS_PER_SECOND = 1_000;
/** What a start does besides is over by then. */
const SETTLE_MS = 3_000;

/** What a service that nobody calls asks of MongoDB, and what that costs it: with the feed of changes, and without. */
export async function benchMongoIdle(options: Options, say: (text: string) => void, mongo: Mongo): Promise<Measured[]> {
  const { uri } = await mongo.filled(say);
  const rows: Measured[] = [];
  for (const { name, env } of [
    { name: "with the feed", env: {} },
    { name: "without a cache", env: NO_CACHE },
  ]) {
    const { queries, cpuMs } = await watchIdle(mongo, uri, env, options.seconds * options.rounds);
    rows.push(plainRow(`idle ${name}, queries/s`, queries), plainRow(`idle ${name}, ms of CPU time/s`, cpuMs));
  }
  return rows;
}

/** Of each second. */
async function watchIdle(mongo: Mongo, uri: string, env: Readonly<Record<string, string>>, seconds: number) {
  const proxy = await startFaultProxy(uri);
  let commands = 0;
  proxy.meetAlways(() => {
    commands += 1;
    return false;
  }, "swallowed");
  const service = await Service.start(mongo.serviceOn(proxy.uri, env));
  try {
    await delay(SETTLE_MS);
    const [commandsBefore, cpuBefore] = [commands, service.process.cpuSeconds()];
    await delay(seconds * MS_PER_SECOND);
    const cpuSeconds = service.process.cpuSeconds() - cpuBefore;
    return { queries: (commands - commandsBefore) / seconds, cpuMs: (cpuSeconds * MS_PER_SECOND) / seconds };
  } finally {
    await service.stop();
    await proxy.close();
  }
}
