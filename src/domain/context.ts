import type { KeyObject } from "node:crypto";
import type { Classify } from "../credentials/classify.js";
import type { JwtSigningKey, JwtVerificationKey } from "../credentials/jwt.js";
import type { KeyStore } from "../store/key-store.js";
import type { CheckedTokens } from "./checked-tokens.js";
import type { FailureLimiter } from "./failure-limiter.js";
import type { KeyUses } from "./key-uses.js";

/** The operator's choices that use cases depend on; the configuration's `keys` section has this shape. */
export interface KeySettings {
  /** Prefix of secret issued keys. */
  readonly prefix: string;
  /** Prefix of public issued keys; without one there are none. */
  readonly publicPrefix?: string | undefined;
  /** Prefixes that are no longer issued but still verify. */
  readonly retiredPrefixes: readonly string[];
  /** Life of a key for which none was asked; absent: it never expires. */
  readonly defaultTtlMs?: number | undefined;
  readonly maxTtlMs: number;
}

/** Likewise of derived tokens; the configuration's `tokens` section has this shape. */
export interface TokenSettings {
  readonly issuer: string;
  /** Absent: tokens name no audience. */
  readonly audience?: string | undefined;
  readonly macaroonPrefix: string;
  readonly defaultTtlMs: number;
  readonly maxTtlMs: number;
  /** Whether a token is worth no more than its key at the time. */
  readonly checkParent: boolean;
}

/** Keys of JWTs. When they change this is another object. */
export interface JwtKeys {
  readonly signing: JwtSigningKey;
  find(kid: string): JwtVerificationKey | undefined;
}

/**
 * Keys made from one secret that may be followed by another: what is made, is made with the current one. When they change this
 * is another object.
 */
export interface RotatedKeys {
  readonly current: Uint8Array;
  /** The current one, then those that are still accepted. */
  readonly all: readonly Uint8Array[];
}

/** Keys that the service holds and the store does not. */
export interface DomainSecrets {
  /** Ids of imported keys are made with it. */
  readonly pepper: KeyObject;
  /** 32 bytes from the pepper: ids of keys that are made from a request_id, and what is kept of requests. */
  readonly requests: Uint8Array;
  /** Secrets that a retry may ask for again are sealed with these. */
  readonly sealing: () => RotatedKeys;
  /** Root keys of macaroons are made with these. */
  readonly macaroons: () => RotatedKeys;
  /** As they are at the moment. */
  readonly jwt: () => JwtKeys;
}

/** What every use case works with. Clock and randomness are passed in, so that tests decide both. */
export interface DomainContext {
  readonly store: KeyStore;
  readonly clock: () => Date;
  /** `length` random bytes, fit for secrets. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly keys: KeySettings;
  readonly tokens: TokenSettings;
  readonly secrets: DomainSecrets;
  /** Made for `issuedPrefixes(keys)` and the macaroon prefix. */
  readonly classify: Classify;
  /** Tokens whose signature need not be checked again. */
  readonly checkedTokens: CheckedTokens;
  /** When keys were used. */
  readonly keyUses: Pick<KeyUses, "note">;
  /** Counts self-revocations that failed. */
  readonly selfRevocationFailures: FailureLimiter;
}

/** The prefixes that issued keys have or had. */
export function issuedPrefixes({ prefix, publicPrefix, retiredPrefixes }: KeySettings): string[] {
  return [prefix, ...(publicPrefix === undefined ? [] : [publicPrefix]), ...retiredPrefixes];
}

/** Tenant of every key, until there are tenants: the nil UUID (RFC 9562 section 5.9). */
export const NIL_TENANT_ID = "00000000-0000-0000-0000-000000000000";
