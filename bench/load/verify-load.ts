import { VERIFY_ROUTE, verifyOverRest } from "../api.js";
import { BODY_BYTES, readBody } from "../filled-store.js";
import type { Contestant } from "../rounds.js";
import type { Service } from "../service.js";
import { measureRest } from "./http1.js";

/** Verification over REST, each call with a key drawn from a file of `BODY_BYTES` for each. Throws unless the first is good. */
export async function verifyContestant(name: string, service: Service, bodiesFile: string): Promise<Contestant> {
  await verifyOverRest(service, await readBody(bodiesFile, 0));
  const { url, authorization, process: server } = service;
  const load = { url, authorization, route: VERIFY_ROUTE, bodiesFile, bodyBytes: BODY_BYTES };
  return { name, server, measure: (seconds) => measureRest(load, seconds) };
}
