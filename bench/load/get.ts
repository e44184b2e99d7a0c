import { fileURLToPath } from "node:url";
import { HTTP1_CONNECTIONS, http1Tool, runWrk } from "./http1.js";
import { runLoad } from "./run-load.js";

const AUTOCANNON = fileURLToPath(new URL("../../node_modules/autocannon/autocannon.js", import.meta.url));

export interface GetLoad {
  /** With the path and the query. */
  readonly url: string;
  readonly authorization: string;
}

/** Calls per second of one GET, again and again. Throws when any of the answers was not a success. */
export async function measureGet(load: GetLoad, seconds: number): Promise<number> {
  if (http1Tool !== "wrk") return measureWithAutocannon(load, seconds);
  const { perSecond } = await runWrk(["-H", `authorization: ${load.authorization}`, load.url], seconds);
  return perSecond;
}

async function measureWithAutocannon({ url, authorization }: GetLoad, seconds: number): Promise<number> {
  const words = [AUTOCANNON, "--json", "-c", String(HTTP1_CONNECTIONS), "-d", String(seconds)];
  const header = ["-H", `authorization=${authorization}`];
  const result = JSON.parse(await runLoad(process.execPath, [...words, ...header, url], seconds));
  const failed = result.errors + result.timeouts + result.non2xx;
  const perSecond = result.requests.total / result.duration;
  if (!(perSecond > 0) || failed > 0) throw new Error(`autocannon: ${failed} calls failed`);
  return perSecond;
}
