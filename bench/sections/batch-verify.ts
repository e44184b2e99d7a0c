import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { issueKeys, VERIFY_ROUTE, verifyCall } from "../api.js";
import { createCall } from "../call.js";
import { BODY_BYTES } from "../filled-store.js";
import { callContestant, type Protocol } from "../load/call-load.js";
import { hasH2load } from "../load/h2load.js";
import { measureRest } from "../load/http1.js";
import type { Options } from "../options.js";
import { type Contestant, measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { type Servers, withServers } from "../with-servers.js";

const BATCH = 100;
const TARGET = 5;
const PROTOCOLS: readonly Protocol[] = hasH2load ? ["REST", "gRPC"] : ["REST"];

/** Verification of 100 issued keys in one call, against a call for each. */
export function benchBatchVerify(options: Options): Promise<Measured[]> {
  return withServers(options, async (servers) => {
    const keys = await issueKeys(servers.service, BATCH);
    const rows: Measured[] = [];
    for (const protocol of PROTOCOLS) {
      const [batch, single] = [await inOneCall(servers, protocol, keys), await oneByOne(servers, protocol, keys)];
      const figures = await measureRounds([batch, single], options);
      const name = `verify ${BATCH} in a call over ${protocol} to one, keys/s`;
      rows.push(comparedRow(name, figures.get(batch.name), figures.get(single.name), TARGET));
    }
    return rows;
  });
}

async function inOneCall(servers: Servers, protocol: Protocol, keys: readonly string[]): Promise<Contestant> {
  const requests = keys.map((credential) => ({ credential }));
  const contestant = await callContestant(servers, {
    name: "batch",
    protocol,
    call: createCall(ApiKeysService.method.adminBatchVerifyApiKeys, { requests }),
    isGood: ({ results }) => results.length === BATCH && results.every(({ isValid }) => isValid),
  });
  return { ...contestant, measure: async (seconds) => BATCH * (await contestant.measure(seconds)) };
}

/** The same keys in turn over REST; h2load repeats one call, so over gRPC it is one of them. */
async function oneByOne(servers: Servers, protocol: Protocol, keys: readonly string[]): Promise<Contestant> {
  const { service, workFile } = servers;
  const [key = ""] = keys;
  const repeated = { name: "single", protocol, call: verifyCall(key), isGood: isValid };
  if (protocol === "gRPC") return callContestant(servers, repeated);
  const bodies = keys.map((credential) => JSON.stringify({ credential }).padEnd(BODY_BYTES));
  const bodiesFile = await workFile("bodies", bodies.join(""));
  const { url, authorization, process: server } = service;
  const load = { url, authorization, route: VERIFY_ROUTE, bodiesFile, bodyBytes: BODY_BYTES };
  return { name: "single", server, measure: (seconds) => measureRest(load, seconds) };
}

function isValid(answer: { readonly isValid: boolean }): boolean {
  return answer.isValid;
}
