/**
 * Verification of keys in a MongoDB in process, without the cache: what the reads and the use case cost without a protocol.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/verify-stored.ts URI DATA_DIR BODIES_FILE CALLERS
 */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { NIL_TENANT_ID } from "../../src/domain/context.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { callForAWhile } from "../call-for-a-while.js";
import { BODY_BYTES } from "../filled-store.js";
import { NO_CACHE, onMongo } from "../mongo.js";
import { openDomain } from "../open-domain.js";
import { serveLoops } from "./serve-loops.js";

const FROM_NOWHERE = { tenantId: NIL_TENANT_ID, clientAddress: undefined };

const [uri = "", dataDir = "", bodiesFile = "", callersText] = process.argv.slice(2);
const context = await openDomain(dataDir, { ...onMongo(uri), ...NO_CACHE });
const bodies = readFileSync(bodiesFile, "latin1");
const count = bodies.length / BODY_BYTES;

serveLoops({
  /** For so many seconds, each time a key drawn from all of them; answers verifications per second. */
  verify: (seconds) =>
    callForAWhile(Number(callersText), seconds, async () => {
      const from = randomInt(count) * BODY_BYTES;
      const { credential } = JSON.parse(bodies.slice(from, from + BODY_BYTES));
      const verification = await verifyKey(context, { ...FROM_NOWHERE, credential });
      if (!verification.valid) throw new Error(`a key is ${verification.failure}`);
      return true;
    }),
});
