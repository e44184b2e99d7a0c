import type { DerivedClaims } from "../credentials/derived-claims.js";
import type { KeyRecord } from "../store/key-store.js";
import type { KeyStatus } from "./key-status.js";

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

/** A credential that is good. At least one of the two is there. */
export interface Acceptance {
  readonly valid: true;
  /** The key, or the key at the root of a token; absent for a token that is good without asking for its key. */
  readonly record?: KeyRecord;
  /** What a derived token says, narrowed to what its key permits by now. */
  readonly token?: DerivedClaims;
}

/** A refusal carries the key only when the secret was right: then the caller may be told which key it is. */
export interface Refusal {
  readonly valid: false;
  readonly failure: VerificationFailure;
  readonly key?: VerifiedKey;
}

export type Verification = Acceptance | Refusal;
