import { deriveToken, issueKey, type TokenKind, verifyCall } from "../api.js";
import { callContestant, grpcIfPossible } from "../load/call-load.js";
import type { Options } from "../options.js";
import { measureRounds } from "../rounds.js";
import { comparedRow, type Measured } from "../table.js";
import { withServers } from "../with-servers.js";

const TARGET = 0.8;
const TOKENS: readonly TokenKind[] = ["jwt", "macaroon"];

/** Verification of one token of each kind, again and again, against that of the key it comes from. */
export function benchHotTokens(options: Options, say: (text: string) => void): Promise<Measured[]> {
  return withServers(options, async (servers) => {
    const { service } = servers;
    const protocol = grpcIfPossible;
    const key = await issueKey(service);
    const contestant = (name: string, credential: string) =>
      callContestant(servers, { name, protocol, call: verifyCall(credential), isGood: ({ isValid }) => isValid });
    const contestants = [await contestant("key", key)];
    for (const kind of TOKENS) {
      const token = await deriveToken(service, key, kind);
      say(`hot-tokens: one ${kind} of ${token.length} characters, over ${protocol}`);
      contestants.push(await contestant(kind, token));
    }
    const figures = await measureRounds(contestants, options);
    return TOKENS.map((kind) => {
      const name = `verify a known ${kind} over ${protocol} to an issued key, calls/s`;
      return comparedRow(name, figures.get(kind), figures.get("key"), TARGET);
    });
  });
}
