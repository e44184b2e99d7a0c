import type { Classify } from "../credentials/classify.js";
import type { KeyStore } from "../store/key-store.js";

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

/** What every use case works with. Clock and randomness are passed in, so that tests decide both. */
export interface DomainContext {
  readonly store: KeyStore;
  readonly clock: () => Date;
  /** `length` random bytes, fit for secrets. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly keys: KeySettings;
  /** Made for `issuedPrefixes(keys)`. */
  readonly classify: Classify;
}

/** The prefixes that issued keys have or had. */
export function issuedPrefixes({ prefix, publicPrefix, retiredPrefixes }: KeySettings): string[] {
  return [prefix, ...(publicPrefix === undefined ? [] : [publicPrefix]), ...retiredPrefixes];
}

/** Tenant of every key, until there are tenants: the nil UUID (RFC 9562 section 5.9). */
export const NIL_TENANT_ID = "00000000-0000-0000-0000-000000000000";
