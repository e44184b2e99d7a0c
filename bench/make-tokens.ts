/**
 * Makes JWTs that no service has seen, and writes the verification of each into a file of bodies of equal length.
 *
 *     node --import ./test/ts-loader.mjs bench/make-tokens.ts DATA_DIR CREDENTIAL BODIES_FILE COUNT
 *
 * A process of its own, with the signing key of the service whose data directory it is. Prints the length of a body.
 */
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { NIL_TENANT_ID } from "../src/domain/context.js";
import { deriveToken } from "../src/domain/derive-token.js";
import { openDomain } from "./open-domain.js";

const BATCH = 1_000;
/** The longest that the default configuration allows: they must outlive the measurement. */
const TTL_MS = 24 * 3_600_000;

const [dataDir = "", credential = "", bodiesFile = "", countText] = process.argv.slice(2);
const count = Number(countText);
const context = await openDomain(dataDir);
const bodies = createWriteStream(bodiesFile, { mode: 0o600 });
const lengths = new Set<number>();
for (let from = 0; from < count; from += BATCH) {
  const made = await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, createBody));
  for (const body of made) lengths.add(body.length);
  bodies.write(made.join(""));
}
bodies.end();
await finished(bodies);
await context.store.close();

const [length] = lengths;
if (length === undefined || lengths.size > 1) throw new Error("the tokens are not of one length");
process.stdout.write(String(length), () => process.exit());

async function createBody(): Promise<string> {
  const asked = { tenantId: NIL_TENANT_ID, clientAddress: undefined, algorithm: "jwt", scopes: [] } as const;
  const { token } = await deriveToken(context, { ...asked, credential, ttlMs: TTL_MS });
  return JSON.stringify({ credential: token });
}
