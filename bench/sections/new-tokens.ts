import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { issueKey, VERIFY_ROUTE, verifyOverRest } from "../api.js";
import { countRest, HTTP1_CONNECTIONS, measureRest, type RestLoad } from "../load/http1.js";
import { loopContestant, measureLoop } from "../load/loop.js";
import type { Options } from "../options.js";
import { canPin } from "../pinned-process.js";
import { type Contestant, measureRounds, WARM_UP_S } from "../rounds.js";
import type { Service } from "../service.js";
import { comparedRow, type Measured } from "../table.js";
import { signedBytesOf } from "../token-parts.js";
import { withServers } from "../with-servers.js";

/** Of the use case. Over HTTP not even a bare server that verifies gets much nearer (the row below). */
const TARGET = 0.6;
/** A round takes as many tokens as there are verifications in it, and each has to be made. */
const MAX_ROUND_S = 2;
/** More tokens than a machine that is quicker for a moment needs. */
const SPARE = 1.2;
const MAKE_TIMEOUT_MS = 10 * 60_000;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Tokens {
  readonly bodiesFile: string;
  readonly bodyBytes: number;
  readonly count: number;
}

/**
 * Verification of JWTs that were not seen before, over REST and in process, against their signatures alone. What HTTP has its
 * part in is seen from a server that does nothing but parse JSON and check the signature.
 */
export function benchNewTokens(options: Options, say: (text: string) => void): Promise<Measured[]> {
  const round = { rounds: options.rounds, seconds: Math.min(options.seconds, MAX_ROUND_S) };
  return withServers(options, async ({ service, startLoops, startReference, work }) => {
    const key = await issueKey(service);
    const signed = await signedBytesOf(service, key);
    const bare = await startLoops("bare-crypto", [String(signed.jwt), String(signed.macaroon)]);
    const perSecond = (await measureLoop(bare, "verify", 1)) * (canPin ? 1 : availableParallelism());
    const count = Math.ceil(SPARE * perSecond * (WARM_UP_S + round.rounds * round.seconds));
    const tokens = await makeTokens(service, key, join(work, "tokens"), count);
    say(`new-tokens: ${count.toLocaleString("en-US")} JWTs, each verified once; rounds of ${round.seconds} s`);

    const { bodiesFile, bodyBytes } = tokens;
    const inProcess = await startLoops("use-cases", [service.dataDir, key, bodiesFile, String(bodyBytes)]);
    const answer = await verifyOverRest(service, await bodyAt(tokens, count - 1));
    const http = await startReference("http-verify", answer, [await publicKeyOf(service)]);
    const figures = await measureRounds(
      [
        restContestant(service, tokens),
        {
          name: "http",
          server: http,
          measure: (seconds) => measureRest({ ...restLoad(service, tokens), url: http.url }, seconds),
        },
        loopContestant("in process", inProcess, "verify-new"),
        loopContestant("bare", bare, "verify"),
      ],
      round,
    );
    await verifyOverRest(service, await bodyAt(tokens, count - 1));
    const [rest, reference] = [figures.get("rest"), figures.get("bare")];
    return [
      comparedRow("verify a new jwt over REST to bare crypto.verify, calls/s", rest, reference),
      comparedRow("verify a new jwt over REST to node:http with crypto.verify, calls/s", rest, figures.get("http")),
      comparedRow(
        "verify a new jwt in process to bare crypto.verify, calls/s",
        figures.get("in process"),
        reference,
        TARGET,
      ),
    ];
  });
}

async function makeTokens(service: Service, key: string, bodiesFile: string, count: number): Promise<Tokens> {
  const words = ["--import", "./test/ts-loader.mjs", "bench/make-tokens.ts", service.dataDir, key, bodiesFile];
  const options = { cwd: ROOT, timeout: MAKE_TIMEOUT_MS, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, [...words, String(count)], options);
  return { bodiesFile, bodyBytes: Number(stdout), count };
}

/** Takes the tokens in order, those that were under way at the end of a measurement not again. */
function restContestant(service: Service, tokens: Tokens): Contestant {
  const load = restLoad(service, tokens);
  let next = 0;
  return {
    name: "rest",
    server: service.process,
    async measure(seconds) {
      const { perSecond, calls } = await countRest({ ...load, from: next }, seconds);
      next += calls + 2 * HTTP1_CONNECTIONS;
      if (next > tokens.count) throw new Error(`new-tokens: ${tokens.count} tokens are not enough`);
      return perSecond;
    },
  };
}

function restLoad({ url, authorization }: Service, { bodiesFile, bodyBytes }: Tokens): RestLoad {
  return { url, authorization, route: VERIFY_ROUTE, bodiesFile, bodyBytes };
}

/** The JWK that the service signs with, as text. */
async function publicKeyOf({ url }: Service): Promise<string> {
  const { keys } = JSON.parse(await (await fetch(`${url}/.well-known/jwks.json`)).text());
  return JSON.stringify(keys[0]);
}

async function bodyAt({ bodiesFile, bodyBytes }: Tokens, at: number): Promise<string> {
  const file = await open(bodiesFile);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(bodyBytes), position: at * bodyBytes });
    return buffer.toString();
  } finally {
    await file.close();
  }
}
