import { createHash } from "node:crypto";
import { formatIssuedKey, hashSecret } from "../../../src/credentials/issued-key.js";
import { createCheckedTokens } from "../../../src/domain/checked-tokens.js";
import type { DomainContext } from "../../../src/domain/context.js";
import { FailureLimiter } from "../../../src/domain/failure-limiter.js";
import { createIssuedKey } from "../../../src/domain/issue-key.js";
import { revokeKey } from "../../../src/domain/revoke-key.js";
import { rotateKey } from "../../../src/domain/rotate-key.js";
import { SELF_REVOCATION_LIMITS } from "../../../src/domain/self-revoke-key.js";
import { sweep } from "../../../src/domain/sweep.js";
import { updateKey } from "../../../src/domain/update-key.js";
import { verifyKey } from "../../../src/domain/verify-key.js";
import type { KeyRecord, KeyStore } from "../../../src/store/key-store.js";
import { createSecrets, issueInput, tokenSettings, withKeys } from "../fixture.js";

/** The use cases that are searched: the real ones, or some with a rule taken out. */
export interface Domain {
  readonly rotateKey: typeof rotateKey;
  readonly revokeKey: typeof revokeKey;
  readonly sweep: typeof sweep;
  readonly updateKey: typeof updateKey;
  readonly verifyKey: typeof verifyKey;
}

export const REAL_DOMAIN: Domain = { rotateKey, revokeKey, sweep, updateKey, verifyKey };

/** When every actor but sweepers acts. */
export const START_MS = Date.UTC(2026, 0, 1);

const FIXED_KEY = createHash("sha256").update("ids and hashes of requests").digest();
/** Ids are made from the key of requests: fixed, so that every search is the same. */
const SECRETS = { ...createSecrets(), requests: FIXED_KEY };
const KEYS = withKeys();

interface Draw {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Who drew which random bytes, by the hash that the store would keep of them as a secret. */
const DRAWS = new Map<string, Draw>();

/** What a program works with: its randomness is its own, and the same in every run. */
export function createContext(store: KeyStore, name: string, nowMs: number): DomainContext {
  let draws = 0;
  return {
    store,
    clock: () => new Date(nowMs),
    randomBytes: (length) => {
      const bytes = createHash("shake256", { outputLength: length }).update(`${name} ${draws++}`).digest();
      DRAWS.set(hexOf(hashSecret(bytes)), { name, bytes });
      return bytes;
    },
    ...KEYS,
    tokens: tokenSettings,
    secrets: SECRETS,
    checkedTokens: createCheckedTokens(),
    keyUses: { note: () => {} },
    selfRevocationFailures: new FailureLimiter(SELF_REVOCATION_LIMITS),
  };
}

/** The key that there is at the start. */
export function createOldKey(): KeyRecord {
  const context = createContext({} as KeyStore, "issuer", START_MS);
  return createIssuedKey(context, { ...issueInput, createTime: new Date(START_MS) }).record;
}

/** The credential of a key that one of the programs made. */
export function credentialOf(record: KeyRecord): string {
  const { bytes } = drawOf(record);
  return formatIssuedKey({ prefix: KEYS.keys.prefix, keyId: record.keyId, secret: bytes });
}

/** The name of the program that made a key. */
export function makerOf(record: KeyRecord): string {
  return drawOf(record).name;
}

function drawOf({ keyId, secretHash }: KeyRecord): Draw {
  const draw = secretHash && DRAWS.get(hexOf(secretHash));
  if (draw === undefined) throw new Error(`nobody drew the secret of ${keyId}`);
  return draw;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
