import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { issueKey, verifyCall, verifyOverGrpc } from "../api.js";
import { measureCommandStart } from "../command-start.js";
import { hasH2load, measureGrpc } from "../load/h2load.js";
import { measureRest } from "../load/http1.js";
import type { Options } from "../options.js";
import { median } from "../rounds.js";
import { Service } from "../service.js";
import { type Measured, plainRow } from "../table.js";
import { createWorkDirectory, removeWorkDirectory } from "../work-directory.js";

const SETTLE_MS = 2_000;

/** The time of a command that does nothing, time to ready, and memory before and after verifications over both protocols. */
export async function benchStart(options: Options, say: (text: string) => void): Promise<Measured[]> {
  const work = createWorkDirectory();
  const firstMs: number[] = [];
  const againMs: number[] = [];
  const services: Service[] = [];
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      for (const times of [firstMs, againMs]) {
        const service = await Service.start({ dataDir: join(work, String(round)) });
        times.push(service.readyMs);
        await service.stop();
      }
    }

    const service = await Service.start(options);
    services.push(service);
    await sleep(SETTLE_MS);
    const idleMiB = await service.residentMiB();
    await loadBoth(service, work, options);
    await sleep(SETTLE_MS);
    const loadedMiB = await service.residentMiB();
    if (idleMiB === undefined || loadedMiB === undefined) say("start: there is no /proc, so memory is not measured");
    return [
      measureCommandStart(options.rounds),
      plainRow("time to ready on an empty directory, ms", median(firstMs)),
      plainRow("time to ready on a directory in use, ms", median(againMs)),
      ...(idleMiB === undefined ? [] : [plainRow("memory (RSS) at idle, MiB", idleMiB)]),
      ...(loadedMiB === undefined ? [] : [plainRow("memory (RSS) after verify load, MiB", loadedMiB)]),
    ];
  } finally {
    for (const service of services) await service.stop();
    removeWorkDirectory(work);
  }
}

async function loadBoth(service: Service, work: string, { seconds, rounds }: Options): Promise<void> {
  const call = verifyCall(await issueKey(service));
  const { url, authorization } = service;
  const { rpc, route, body, frame } = call;
  const bodiesFile = join(work, "bodies");
  const frameFile = join(work, "frame");
  await writeFile(bodiesFile, body);
  await writeFile(frameFile, frame);
  await measureRest({ url, authorization, route, bodiesFile, bodyBytes: body.length }, seconds * rounds);
  if (!hasH2load) return;
  const answerBytes = (await verifyOverGrpc(service, call)).length;
  await measureGrpc({ url, authorization, rpc, frameFile, answerBytes }, seconds * rounds);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
