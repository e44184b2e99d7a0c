import { fileURLToPath } from "node:url";
import { VERIFY_ROUTE } from "../api.js";
import { isInstalled } from "../pinned-process.js";
import { runLoad } from "./run-load.js";

export const HTTP1_CONNECTIONS = 64;

/** autocannon is slower than some of the servers: with it, ratios come out too near to 1. */
export const http1Tool = isInstalled("wrk") ? "wrk" : "autocannon";

export interface RestLoad {
  readonly url: string;
  readonly authorization: string;
  /** A file of request bodies, of which each call takes one at random. */
  readonly bodiesFile: string;
  /** Length of each of them. */
  readonly bodyBytes: number;
}

/** Verifications per second over REST. Throws when any of the answers was not a success. */
export function measureRest(load: RestLoad, seconds: number): Promise<number> {
  return http1Tool === "wrk" ? measureWithWrk(load, seconds) : measureWithAutocannon(load, seconds);
}

async function measureWithWrk(load: RestLoad, seconds: number): Promise<number> {
  const words = [
    ...["-c", String(HTTP1_CONNECTIONS), "-t", "1", "-d", `${seconds}s`, "-s", fileHere("verify.lua"), load.url],
    ...["--", load.bodiesFile, String(load.bodyBytes), load.authorization, VERIFY_ROUTE],
  ];
  const output = await runLoad("wrk", words, seconds);
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1]);
  if (!(perSecond > 0) || /Non-2xx|Socket errors/.test(output)) {
    throw new Error(`wrk: not every call succeeded:\n${output}`);
  }
  return perSecond;
}

async function measureWithAutocannon(load: RestLoad, seconds: number): Promise<number> {
  const words = [
    ...[fileHere("autocannon.mjs"), load.url, String(HTTP1_CONNECTIONS), String(seconds)],
    ...[load.bodiesFile, String(load.bodyBytes), load.authorization, VERIFY_ROUTE],
  ];
  const { perSecond, failed } = JSON.parse(await runLoad(process.execPath, words, seconds));
  if (!(perSecond > 0) || failed > 0) throw new Error(`autocannon: ${failed} calls failed`);
  return perSecond;
}

function fileHere(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
