/**
 * Fills a store with issued keys, and writes the verification of each into a file of bodies of equal length.
 *
 *     node --import ./test/ts-loader.mjs bench/fill-store.ts STORE BODIES_FILE COUNT OF_ONE_ACTOR EXPIRED
 *
 * STORE is the directory of an embedded store, or the URI of a database in MongoDB. Of COUNT keys OF_ONE_ACTOR, spread over all
 * of them, are those of `ONE_ACTOR`, and the newest EXPIRED are expired.
 * A process of its own: the service is measured with a store that somebody else filled.
 */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { formatIssuedKey, hashSecret, SECRET_BYTES } from "../src/credentials/issued-key.js";
import { createUuidV7, UUID_BYTES } from "../src/credentials/uuid.js";
import { NIL_TENANT_ID } from "../src/domain/context.js";
import { openEmbeddedStore } from "../src/store/embedded/open-embedded-store.js";
import type { KeyRecord, KeyStore } from "../src/store/key-store.js";
import { openMongoStore } from "../src/store/mongo/open-mongo-store.js";
import { KEY_ATTRIBUTES } from "./api.js";
import { BODY_BYTES, ONE_ACTOR } from "./filled-store.js";

const BATCH = 5_000;
/** Of one batch. */
const TIMEOUT_MS = 60_000;
const KEYS_OF_AN_ACTOR = 10;
const DERIVE_SEED_BYTES = 32;
/** Less than the newest keys are old when the store is used. */
const LIFETIME_MS = 1;
const YEAR_MS = 365 * 24 * 3_600_000;

const [place = "", bodiesFile = "", ...counts] = process.argv.slice(2);
const [count = 0, ofOneActor = 0, expired = 0] = counts.map(Number);
const store = await openStore();
const bodies = createWriteStream(bodiesFile, { mode: 0o600 });

/** The keys were made one after the other over the last year. */
const startedAt = Date.now() - YEAR_MS;
for (let from = 0; from < count; from += BATCH) {
  const keys = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => createKey(from + at));
  await store.insertMany(keys.map(({ record }) => record));
  for (const { credential } of keys) bodies.write(JSON.stringify({ credential }).padEnd(BODY_BYTES));
}
bodies.end();
await finished(bodies);
await store.close();

function openStore(): Promise<KeyStore> {
  return /^mongodb/.test(place)
    ? openMongoStore({ uri: place, timeoutMs: TIMEOUT_MS })
    : openEmbeddedStore({ directory: place, writeTimeoutMs: TIMEOUT_MS });
}

function createKey(at: number): { readonly record: KeyRecord; readonly credential: string } {
  const createTime = new Date(startedAt + Math.floor((at / count) * YEAR_MS));
  const keyId = createUuidV7(createTime.getTime(), randomBytes(UUID_BYTES));
  const secret = randomBytes(SECRET_BYTES);
  const isExpired = at >= count - expired;
  const record: KeyRecord = {
    tenantId: NIL_TENANT_ID,
    keyId,
    kind: "issued",
    version: 1,
    name: KEY_ATTRIBUTES.name,
    actorId: isOfOneActor(at) ? ONE_ACTOR : `user-${Math.floor(at / KEYS_OF_AN_ACTOR)}`,
    scopes: KEY_ATTRIBUTES.scopes,
    metadata: KEY_ATTRIBUTES.metadata,
    visibility: "secret",
    createTime,
    updateTime: createTime,
    ...(isExpired && { expireTime: new Date(createTime.getTime() + LIFETIME_MS) }),
    listed: { status: isExpired ? "expired" : "active" },
    secretHash: hashSecret(secret),
    deriveSeed: randomBytes(DERIVE_SEED_BYTES),
  };
  return { record, credential: formatIssuedKey({ prefix: "lk", keyId, secret }) };
}

function isOfOneActor(at: number): boolean {
  return ofOneActor > 0 && at % Math.floor(count / ofOneActor) === 0;
}
