/**
 * Use cases in process: what they cost without a protocol.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/use-cases.ts DATA_DIR CREDENTIAL [BODIES_FILE BODY_BYTES]
 *
 * BODIES_FILE holds verifications of tokens as `bench/make-tokens.ts` writes them; each is taken once.
 */
import { readFileSync } from "node:fs";
import { NIL_TENANT_ID } from "../../src/domain/context.js";
import { type DeriveTokenInput, deriveToken } from "../../src/domain/derive-token.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { callForAWhile } from "../call-for-a-while.js";
import { openDomain } from "../open-domain.js";
import { serveLoops } from "./serve-loops.js";

/** As many as the load on the service has under way. */
const CALLERS = 64;
const FROM_NOWHERE = { tenantId: NIL_TENANT_ID, clientAddress: undefined };

const [dataDir = "", credential = "", bodiesFile, bodyBytes] = process.argv.slice(2);
const context = await openDomain(dataDir);
const tokens = bodiesFile === undefined ? [] : readTokens(bodiesFile, Number(bodyBytes));
let next = 0;

serveLoops({
  "verify-new": (seconds) => callForAWhile(CALLERS, seconds, verifyNext),
  "derive-jwt": (seconds) => callForAWhile(CALLERS, seconds, () => derive("jwt")),
  "derive-macaroon": (seconds) => callForAWhile(CALLERS, seconds, () => derive("macaroon")),
});

async function verifyNext(): Promise<boolean> {
  const token = tokens[next++];
  if (token === undefined) throw new Error("there are not enough tokens");
  const verification = await verifyKey(context, { ...FROM_NOWHERE, credential: token });
  if (!verification.valid) throw new Error(`a token is ${verification.failure}`);
  return true;
}

async function derive(algorithm: DeriveTokenInput["algorithm"]): Promise<boolean> {
  await deriveToken(context, { ...FROM_NOWHERE, credential, algorithm, scopes: [] });
  return true;
}

function readTokens(file: string, length: number): string[] {
  const bodies = readFileSync(file);
  return Array.from({ length: bodies.length / length }, (_, at) => {
    return JSON.parse(bodies.toString("latin1", at * length, (at + 1) * length)).credential;
  });
}
