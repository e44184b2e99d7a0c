import { deriveCall, issueKey, type TokenKind } from "../api.js";
import { callContestant, grpcIfPossible } from "../load/call-load.js";
import { loopContestant } from "../load/loop.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { signedBytesOf } from "../token-parts.js";
import { withServers } from "../with-servers.js";

/** What a token of each kind is compared with: the loop of `bare-crypto.ts`, and its name. */
const BARE: Readonly<Record<TokenKind, { readonly loop: string; readonly text: string }>> = {
  jwt: { loop: "sign", text: "bare crypto.sign" },
  macaroon: { loop: "hmac", text: "3 bare HMACs" },
};

/** Derivation of tokens from one key, over the API and in process, against the signatures alone. There is no target. */
export function benchDerive(options: Options): Promise<Measured[]> {
  return withServers(options, async (servers) => {
    const { service, startLoops } = servers;
    const key = await issueKey(service);
    const signed = await signedBytesOf(service, key);
    const bare = await startLoops("bare-crypto", [String(signed.jwt), String(signed.macaroon)]);
    const useCases = await startLoops("use-cases", [service.dataDir, key]);
    const rows: Measured[] = [];
    for (const kind of ["jwt", "macaroon"] as const) {
      const { loop, text } = BARE[kind];
      const call = deriveCall(key, kind);
      const isGood = ({ token }: { token?: unknown }) => token !== undefined;
      const figures = await measureRounds(
        [
          await callContestant(servers, { name: "api", protocol: grpcIfPossible, call, isGood }),
          loopContestant("in process", useCases, `derive-${kind}`),
          loopContestant("bare", bare, loop),
        ],
        options,
      );
      const reference = figures.get("bare");
      rows.push(
        comparedRow(`derive a ${kind} over ${grpcIfPossible} to ${text}, calls/s`, figures.get("api"), reference),
        comparedRow(`derive a ${kind} in process to ${text}, calls/s`, figures.get("in process"), reference),
      );
    }
    return rows;
  });
}
