import { fileURLToPath } from "node:url";
import { isInstalled } from "../pinned-process.js";
import { runLoad } from "./run-load.js";

export const HTTP1_CONNECTIONS = 64;

/** autocannon is slower than some of the servers: with it, ratios come out too near to 1. */
export const http1Tool = isInstalled("wrk") ? "wrk" : "autocannon";

export interface RestLoad {
  readonly url: string;
  readonly authorization: string;
  /** Path of the method; it is a POST. */
  readonly route: string;
  /** A file of request bodies, of which each call takes one. */
  readonly bodiesFile: string;
  /** Length of each of them. */
  readonly bodyBytes: number;
  /** Position of the first body, when they are to be taken in order and from the start again at the end; else at random. */
  readonly from?: number;
}

/** Calls that were answered. */
export interface RestFigure {
  readonly perSecond: number;
  readonly calls: number;
}

/** Calls per second over REST. Throws when any of the answers was not a success. */
export async function measureRest(load: RestLoad, seconds: number): Promise<number> {
  return (await countRest(load, seconds)).perSecond;
}

/** The same, with the number of calls. */
export function countRest(load: RestLoad, seconds: number): Promise<RestFigure> {
  return http1Tool === "wrk" ? measureWithWrk(load, seconds) : measureWithAutocannon(load, seconds);
}

const AT_RANDOM = -1;
/** The first batches of a cold service take longer than the 2 s of wrk. */
const CALL_TIMEOUT_S = 10;

async function measureWithWrk(load: RestLoad, seconds: number): Promise<RestFigure> {
  return runWrk(["-s", fileHere("post.lua"), load.url, "--", ...wordsOf(load)], seconds);
}

/** Runs wrk with these words after those on how long and how much. Throws when any of the answers was not a success. */
export async function runWrk(words: readonly string[], seconds: number): Promise<RestFigure> {
  const amount = ["-c", String(HTTP1_CONNECTIONS), "-t", "1", "-d", `${seconds}s`, "--timeout", `${CALL_TIMEOUT_S}s`];
  const output = await runLoad("wrk", [...amount, ...words], seconds);
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1]);
  const calls = Number(/^\s*(\d+) requests in /m.exec(output)?.[1]);
  if (!(perSecond > 0) || !(calls > 0) || /Non-2xx|Socket errors/.test(output)) {
    throw new Error(`wrk: not every call succeeded:\n${output}`);
  }
  return { perSecond, calls };
}

async function measureWithAutocannon(load: RestLoad, seconds: number): Promise<RestFigure> {
  const words = [fileHere("autocannon.mjs"), load.url, String(HTTP1_CONNECTIONS), String(seconds), ...wordsOf(load)];
  const { perSecond, calls, failed } = JSON.parse(await runLoad(process.execPath, words, seconds));
  if (!(perSecond > 0) || failed > 0) throw new Error(`autocannon: ${failed} calls failed`);
  return { perSecond, calls };
}

function wordsOf({ bodiesFile, bodyBytes, authorization, route, from = AT_RANDOM }: RestLoad): string[] {
  return [bodiesFile, String(bodyBytes), authorization, route, String(from)];
}

function fileHere(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
