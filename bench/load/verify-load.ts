import { VERIFY_ROUTE, verifyOverRest } from "../api.js";
import { BODY_BYTES, readBody } from "../filled-store.js";
import type { Contestant } from "../rounds.js";
import type { Service } from "../service.js";
import { measureRest } from "./http1.js";

/** Once, in its first seconds, the feed of changes drops what is remembered; by then that was. */
const FILL_CACHE_S = 5;

/** Verification over REST, each call with a key drawn from a file of `BODY_BYTES` for each. Throws unless the first is good. */
export async function verifyContestant(name: string, service: Service, bodiesFile: string): Promise<Contestant> {
  await verifyOverRest(service, await readBody(bodiesFile, 0));
  const { url, authorization, process: server } = service;
  const load = { url, authorization, route: VERIFY_ROUTE, bodiesFile, bodyBytes: BODY_BYTES };
  return { name, server, measure: (seconds) => measureRest(load, seconds) };
}

/** The same with a service that remembers the keys, each of which it has verified. */
export async function cachedVerifyContestant(name: string, service: Service, bodiesFile: string): Promise<Contestant> {
  const contestant = await verifyContestant(name, service, bodiesFile);
  const { url, authorization } = service;
  const inOrder = { url, authorization, route: VERIFY_ROUTE, bodiesFile, bodyBytes: BODY_BYTES, from: 0 };
  await measureRest(inOrder, FILL_CACHE_S);
  return contestant;
}
