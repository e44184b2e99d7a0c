import { createHash, createSecretKey, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClassifier } from "../../src/credentials/classify.js";
import { addCaveat } from "../../src/credentials/macaroon.js";
import { formatMacaroonToken, parseMacaroonToken } from "../../src/credentials/macaroon-token.js";
import { createCheckedTokens } from "../../src/domain/checked-tokens.js";
import {
  type DomainContext,
  type DomainSecrets,
  issuedPrefixes,
  type KeySettings,
  NIL_TENANT_ID,
  type TokenSettings,
} from "../../src/domain/context.js";
import { type DerivedToken, type DeriveTokenInput, deriveToken } from "../../src/domain/derive-token.js";
import { FailureLimiter } from "../../src/domain/failure-limiter.js";
import { type ImportKeyInput, importKey } from "../../src/domain/import-key.js";
import { type IssueKeyInput, issueKey } from "../../src/domain/issue-key.js";
import { KeyUses } from "../../src/domain/key-uses.js";
import { type RotateKeyInput, rotateKey } from "../../src/domain/rotate-key.js";
import { SELF_REVOCATION_LIMITS } from "../../src/domain/self-revoke-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import type { KeyRecord } from "../../src/store/key-store.js";

const START_MS = Date.UTC(2026, 0, 1);
const MACAROON_PREFIX = "mc";

export const tokenSettings: TokenSettings = {
  issuer: "latchkey",
  macaroonPrefix: MACAROON_PREFIX,
  defaultTtlMs: 900_000,
  maxTtlMs: 86_400_000,
  checkParent: true,
};

/** A domain on a real store, whose clock and randomness the test decides. */
export interface Fixture extends DomainContext {
  /** Moves the clock. */
  advance(ms: number): void;
  dispose(): Promise<void>;
}

export async function createFixture(settings: Partial<KeySettings> = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-domain-"));
  const store = await openEmbeddedStore({ directory });
  const keyUses = new KeyUses(store, (error) => {
    throw error;
  });
  let nowMs = START_MS;
  let draws = 0;
  return {
    store,
    clock: () => new Date(nowMs),
    randomBytes: (length) => createHash("shake256", { outputLength: length }).update(`draw ${draws++}`).digest(),
    ...withKeys(settings),
    tokens: tokenSettings,
    secrets: createSecrets(),
    checkedTokens: createCheckedTokens(),
    keyUses,
    selfRevocationFailures: new FailureLimiter(SELF_REVOCATION_LIMITS),
    advance: (ms) => {
      nowMs += ms;
    },
    dispose: async () => {
      await keyUses.close();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** The parts of a context that depend on the key settings. */
export function withKeys(settings: Partial<KeySettings> = {}): Pick<DomainContext, "keys" | "classify"> {
  const keys = { prefix: "lk", retiredPrefixes: [], maxTtlMs: 315_360_000_000, ...settings };
  const classify = createClassifier({ issuedPrefixes: issuedPrefixes(keys), macaroonPrefix: MACAROON_PREFIX });
  return { keys, classify };
}

/** Other keys each time, as those of another deployment. */
export function createSecrets(): DomainSecrets {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const jwt = { signing: { kid: "test", alg: "EdDSA" as const, privateKey }, publicKey };
  const keys = {
    ...jwt,
    find: (kid: string) => (kid === jwt.signing.kid ? { alg: jwt.signing.alg, publicKey } : undefined),
  };
  const rotated = (label: string) => {
    const current = createHash("sha256")
      .update(label)
      .update(publicKey.export({ format: "der", type: "spki" }))
      .digest();
    return { current, all: [current] };
  };
  const sealing = rotated("sealing");
  const macaroons = rotated("macaroons");
  return {
    pepper: createSecretKey(rotated("pepper").current),
    requests: rotated("requests").current,
    sealing: () => sealing,
    macaroons: () => macaroons,
    jwt: () => keys,
  };
}

export const tenantId = NIL_TENANT_ID;

/** A new key with its secret. */
export async function issue(context: DomainContext, input: Partial<IssueKeyInput> = {}) {
  const { record, secret } = await issueKey(context, { ...issueInput, ...input });
  if (secret === undefined) throw new Error("a new key has no secret");
  return { record, secret };
}

/** Issues keys a millisecond apart; answers their ids, newest first. */
export async function issueMany(domain: Fixture, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    domain.advance(1);
    ids.unshift((await issue(domain)).record.keyId);
  }
  return ids;
}

/** As `rotateKey`, of a key that has a secret. */
export async function rotate(context: DomainContext, input: Omit<RotateKeyInput, "caller" | "requestId">) {
  const { record, secret, old } = await rotateKey(context, { caller: "test", requestId: "", ...input });
  if (secret === undefined) throw new Error("a new key has no secret");
  return { record, secret, old };
}

export const issueInput: IssueKeyInput = {
  tenantId,
  caller: "test",
  requestId: "",
  name: "demo",
  actorId: "me",
  scopes: [],
  visibility: "secret",
};

export const importInput: ImportKeyInput = { ...issueInput, rawKey: "sk_live_1" };

export function importRaw(context: DomainContext, input: Partial<ImportKeyInput> = {}): Promise<KeyRecord> {
  return importKey(context, { ...importInput, ...input });
}

/** A JWT, unless the input says otherwise. */
export function derive(
  context: DomainContext,
  input: Partial<DeriveTokenInput> & { readonly credential: string },
): Promise<DerivedToken> {
  return deriveToken(context, { tenantId, clientAddress: undefined, algorithm: "jwt", scopes: [], ...input });
}

/** A macaroon with one more caveat, as its holder adds it. */
export function addCaveatTo(token: string, caveat: string): string {
  const parsed = parseMacaroonToken(token, MACAROON_PREFIX);
  if ("error" in parsed) throw new Error(parsed.error);
  return formatMacaroonToken(addCaveat(parsed.macaroon, Buffer.from(caveat)), MACAROON_PREFIX);
}

/** The verdict on a credential: `active`, or why it is refused. */
export async function verdict(context: DomainContext, credential: string, clientAddress?: string): Promise<string> {
  const verification = await verifyKey(context, { tenantId, credential, clientAddress });
  return verification.valid ? "active" : verification.failure;
}
