import type { DerivedClaims } from "../credentials/derived-claims.js";
import type { KeyRecord, KeyStatus } from "../store/key-store.js";

export type VerificationFailure =
  | "invalid_format"
  | "signature_invalid"
  /** A macaroon with a caveat that is not known, or whose caveats leave no scope or no address. */
  | "permits_nothing"
  | "not_found"
  | "revoked"
  | "expired"
  /** A token that had scopes, of which its key has none any more. */
  | "scopes_withdrawn"
  | "not_yet_valid"
  | "ip_not_allowed";

/** The key behind a credential whose secret was right, and what it is worth now. */
export interface VerifiedKey {
  readonly record: KeyRecord;
  readonly status: KeyStatus;
}

/**
 * A credential that is good: a key, or what a derived token says, narrowed to what its key permits by now. The key of a token
 * is absent where it was not asked for.
 */
export type Acceptance =
  | { readonly valid: true; readonly record: KeyRecord; readonly token?: DerivedClaims }
  | { readonly valid: true; readonly record?: undefined; readonly token: DerivedClaims };

/** A refusal carries the key only when the secret was right: then the caller may be told which key it is. */
export interface Refusal {
  readonly valid: false;
  readonly failure: VerificationFailure;
  readonly key?: VerifiedKey;
}

export type Verification = Acceptance | Refusal;
