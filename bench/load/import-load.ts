import { randomBytes } from "node:crypto";
import { KEY_ATTRIBUTES } from "../api.js";
import { callForAWhile } from "../call-for-a-while.js";
import type { ServerProcess } from "../pinned-process.js";
import type { Contestant } from "../rounds.js";
import type { Service } from "../service.js";
import { measureLoop } from "./loop.js";
import type { Post } from "./post.js";

/** Keys in a call, and in a write. */
export const BATCH = 1_000;
const BATCH_IMPORT = "/v2alpha1/admin/importedApiKeys:batchImport";
export const RAW_KEY_BYTES = 24;

export interface ImportLoad {
  /** Of a round. Both import the same number of keys: a store gets slower as it grows. */
  readonly batchesPerSecond: number;
  /** The store has as many writes under way. */
  readonly callers: number;
}

/** Imports of keys that nobody has imported, over REST; keys a second. */
export function importContestant(
  { process: server }: Service,
  post: Post,
  { batchesPerSecond, callers }: ImportLoad,
): Contestant {
  let prepared: string[] = [];
  const importNext = async () => {
    const body = prepared.pop();
    if (body === undefined) return false;
    const answer = await post(BATCH_IMPORT, body, 200);
    if (!answer.includes(`"success_count":${BATCH},`)) throw new Error(`not every key was imported: ${answer}`);
    return true;
  };
  return {
    name: "service",
    server,
    async prepare(seconds) {
      prepared = Array.from({ length: seconds * batchesPerSecond }, createBody);
    },
    measure: async () => BATCH * (await callForAWhile(callers, Number.POSITIVE_INFINITY, importNext)),
  };
}

/** As many writes by a loop, which has `prepare` and `insert`. */
export function writesContestant(server: ServerProcess, { batchesPerSecond }: ImportLoad): Contestant {
  return {
    name: "writes",
    server,
    prepare: async (seconds) => void (await measureLoop(server, "prepare", seconds * batchesPerSecond)),
    measure: (seconds) => measureLoop(server, "insert", seconds),
  };
}

function createBody(): string {
  const requests = Array.from({ length: BATCH }, () => ({
    raw_key: `legacy-${randomBytes(RAW_KEY_BYTES).toString("hex")}`,
    ...KEY_ATTRIBUTES,
  }));
  return JSON.stringify({ requests });
}
