import { setTimeout as delay } from "node:timers/promises";
import { KEY_ATTRIBUTES, VERIFY_ROUTE } from "../api.js";
import { createPoster, type Poster } from "../load/post.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { percentile } from "../rounds.js";
import { Service } from "../service.js";
import { type Measured, plainRow } from "../table.js";

const PROCESSES = 3;
const POLL_INTERVAL_MS = 50;
const KEYS_PER_ROUND = 40;
/** Between two verifications of a key by one process: how exact the figures are. */
const LOOK_INTERVAL_MS = 1;
/** A p99 of two poll intervals. */
const TARGET = 1;

/**
 * Three processes on one database. A key that all of them remember is revoked on the first: how long after that is acknowledged
 * until each of the others refuses it, and until the first does.
 */
export async function benchMongoRevocation(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri } = await mongo.filled(say);
  const env = { LATCHKEY_CACHE_POLL_INTERVAL: `${POLL_INTERVAL_MS}ms` };
  const services: Service[] = [];
  const posters: Poster[] = [];
  const own: number[] = [];
  const others: number[] = [];
  try {
    for (let at = 0; at < PROCESSES; at += 1) {
      const service = await Service.start({ ...mongo.serviceOn(uri, env), cpuProf: options.cpuProf });
      services.push(service);
      // To look, and to revoke meanwhile.
      posters.push(createPoster(service, 2));
    }
    for (let count = options.rounds * KEYS_PER_ROUND; count > 0; count -= 1) {
      const [ownMs = Number.NaN, ...othersMs] = await revokeOne(posters);
      own.push(ownMs);
      others.push(...othersMs);
    }
  } finally {
    for (const poster of posters) poster.close();
    for (const service of services) await service.stop();
  }
  const p99 = percentile(others, 99);
  const reference = 2 * POLL_INTERVAL_MS;
  const p99Row = {
    ...{ name: `revoked by another process, refused after, p99 of ${others.length}, ms; two polls to it`, ours: p99 },
    ...{ reference, ratio: reference / p99, target: TARGET },
  };
  return [
    plainRow(`revoked by another process, refused after, p50 of ${others.length}, ms`, percentile(others, 50)),
    p99Row,
    plainRow(`revoked by this process, refused after, the longest of ${own.length}, ms`, Math.max(...own)),
  ];
}

/** Milliseconds from the acknowledgement until each process refuses the key, that which revoked it first. */
async function revokeOne(posters: readonly Poster[]): Promise<number[]> {
  const [first] = posters;
  if (first === undefined) throw new Error("there is no process");
  const issued = JSON.parse(await first.post("/v2alpha1/admin/issuedApiKeys", JSON.stringify(KEY_ATTRIBUTES), 201));
  const body = JSON.stringify({ credential: issued.secret });
  for (const poster of posters) {
    if (!(await isValid(poster, body))) throw new Error("a key that was just issued is refused");
  }
  const refusals = Promise.all(posters.map((poster) => refusedAt(poster, body)));
  await first.post(`/v2alpha1/admin/apiKeys/${issued.issued_api_key.key_id}:revoke`, "{}", 200);
  const acknowledgedAt = performance.now();
  return (await refusals).map((at) => Math.max(0, at - acknowledgedAt));
}

async function refusedAt(poster: Poster, body: string): Promise<number> {
  while (await isValid(poster, body)) await delay(LOOK_INTERVAL_MS);
  return performance.now();
}

async function isValid({ post }: Poster, body: string): Promise<boolean> {
  return JSON.parse(await post(VERIFY_ROUTE, body, 200)).is_valid;
}
