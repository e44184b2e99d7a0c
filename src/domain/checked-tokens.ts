import { BoundedMap } from "../credentials/bounded-map.js";
import type { DerivedClaims } from "../credentials/derived-claims.js";
import type { RotatedKeys } from "./context.js";

/** A few kilobytes each. */
const MAX_REMEMBERED = 10_000;

/** What a token says, for as long as what its signature was checked with stays the same. */
export interface CheckedToken {
  readonly claims: DerivedClaims;
  /** The key set of a JWT, the derive seed of a macaroon's root key. */
  readonly checkedWith: object;
  /** Of a macaroon: the keys that the service had. Its secret may be forgotten since. */
  readonly macaroonKeys?: RotatedKeys;
}

/**
 * Derived tokens whose signature held, by their digests. What else decides over a token (the clock, its key's record, the
 * client's address) is looked at every time.
 */
export type CheckedTokens = BoundedMap<string, CheckedToken>;

export function createCheckedTokens(): CheckedTokens {
  return new BoundedMap(MAX_REMEMBERED);
}
