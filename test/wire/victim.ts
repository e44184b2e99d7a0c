/** A service in a process of its own, and a client that goes on using it while others attack. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { AdminVerifyApiKeyRequestSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { ChildService } from "../e2e/child-service.js";
import { eventually } from "../e2e/eventually.js";
import { envelope } from "../e2e/grpc-wire.js";
import { receiveStatus } from "../e2e/receive-status.js";

export const VERIFY_PATH = "/latchkey.v2alpha1.ApiKeysService/AdminVerifyApiKey";
const KIBIBYTE = 1024;
/** Calls before the memory is measured for the first time: what is compiled and allocated once is there by then. */
const WARM_UP_CALLS = 500;
/** Between two looks at the memory. */
const LOOK_INTERVAL_MS = 200;
/** The reporter is TypeScript as well, so the loader comes before it. */
const NODE_OPTIONS = [
  "--expose-gc",
  ...["../ts-loader.mjs", "./report-heap.ts"].map((path) => `--import=${new URL(path, import.meta.url).href}`),
].join(" ");
/** Status of gRPC. */
const OK = "0";

export interface Victim {
  readonly url: string;
  /** Host and port. */
  readonly address: string;
  /** Resident memory, in bytes. */
  rss(): number;
  /** What is left after a garbage collection, in bytes: JavaScript's, and what its objects hold outside. */
  heap(): Promise<number>;
  /** Names what should not have happened; empty when all is well. */
  problems(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface Measured {
  readonly calls: number;
  /** Of the calls, in milliseconds. */
  readonly p99Ms: number;
  /** What did not succeed. */
  readonly failures: readonly string[];
  /** By how much the memory grew, at its highest, in bytes. */
  readonly grownBytes: number;
}

/** Everybody is an admin there, so that what attackers send gets as far as it can. */
export async function startVictim(env: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const dataDir = mkdtempSync(join(tmpdir(), "latchkey-victim-"));
  const service = new ChildService({
    env: {
      NODE_OPTIONS,
      LATCHKEY_DATA_DIR: dataDir,
      LATCHKEY_ADMIN_AUTH: "none",
      LATCHKEY_LOG_LEVEL: "warn",
      ...env,
    },
  });
  const url = await service.ready();
  let hasEnded = false;
  service.ended.then(() => {
    hasEnded = true;
  });
  const victim: Victim = {
    url,
    address: new URL(url).host,
    rss: () => Number(execFileSync("ps", ["-o", "rss=", "-p", String(service.pid)]).toString()) * KIBIBYTE,
    heap: async () => {
      const reports = () => [...service.stderr.matchAll(/^heap (\d+)\n/gm)];
      const seen = reports().length;
      service.kill("SIGUSR2");
      return eventually("a report of the heap", () => {
        const report = reports()[seen];
        return report && Number(report[1]);
      });
    },
    problems: async () => {
      const lines = () => service.stdout.split("\n").filter((line) => /"level":"fatal"|unexpected error/.test(line));
      try {
        const { ok } = await fetch(`${url}/health/ready`);
        return ok ? lines() : ["not ready", ...lines()];
      } catch (error) {
        const ended = hasEnded ? JSON.stringify(await service.ended) : "not yet";
        return [`no answer: ${error}; ended: ${ended}`, ...lines(), service.stderr];
      }
    },
    stop: async () => {
      await service.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  await measureWhile(victim, async (calls) => {
    while (calls() < WARM_UP_CALLS) await yieldToOthers();
  });
  return victim;
}

/**
 * Verifies, over gRPC, one call after the other, for as long as `attack` is under way. It is told how many calls there were,
 * so that it can go on until there are enough to be measured.
 */
export async function measureWhile(
  victim: Victim,
  attack: (calls: () => number) => Promise<unknown>,
): Promise<Measured> {
  const before = victim.rss();
  let highest = before;
  let isUnderWay = true;
  const durationsMs: number[] = [];
  const failures: string[] = [];
  const attacked = attack(() => durationsMs.length).finally(() => {
    isUnderWay = false;
  });
  const session = connect(victim.url);
  session.on("error", (error) => failures.push(String(error)));
  let lastLook = performance.now();
  do {
    const startedAt = performance.now();
    const outcome = await verify(session);
    durationsMs.push(performance.now() - startedAt);
    if (outcome !== OK) failures.push(outcome);
    if (performance.now() - lastLook > LOOK_INTERVAL_MS) {
      highest = Math.max(highest, victim.rss());
      lastLook = performance.now();
    }
    await yieldToOthers();
  } while (isUnderWay && !session.destroyed);
  session.destroy();
  await attacked;
  highest = Math.max(highest, victim.rss());
  durationsMs.sort((a, b) => a - b);
  const p99Ms = durationsMs[Math.floor(durationsMs.length * 0.99)] ?? Number.NaN;
  return { calls: durationsMs.length, p99Ms, failures, grownBytes: highest - before };
}

/** Answers the gRPC status, or what went wrong. */
async function verify(session: ReturnType<typeof connect>): Promise<string> {
  const stream = session.request({
    ":method": "POST",
    ":path": VERIFY_PATH,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const request = create(AdminVerifyApiKeyRequestSchema, { credential: "unknown" });
  stream.resume().end(envelope(toBinary(AdminVerifyApiKeyRequestSchema, request)));
  try {
    return String((await receiveStatus(stream))["grpc-status"]);
  } catch (error) {
    return String(error);
  }
}
