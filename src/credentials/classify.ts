import { BoundedMap } from "./bounded-map.js";
import { digestOf } from "./digest.js";
import { hashSecret, parseIssuedKey } from "./issued-key.js";
import { isJwtShaped } from "./jwt.js";
import { isMacaroonShaped } from "./macaroon-token.js";

/** What a credential is, told from its form alone. */
export type Credential =
  | { readonly kind: "issued"; readonly keyId: string; readonly secretHash: Uint8Array }
  /** `digest` stands for it in memory. */
  | { readonly kind: "jwt" | "macaroon"; readonly digest: string }
  /** Anything that is not of a form of our own. `mistyped`: it has an issued key's prefix but not its checksum. */
  | { readonly kind: "imported"; readonly rawKey: string; readonly mistyped: boolean };

/** Tells credentials apart. */
export type Classify = (credential: string) => Credential;

/** A few hundred bytes each. */
const MAX_REMEMBERED = 50_000;

export interface ClassifierOptions {
  /** Prefixes of issued keys, current or retired. */
  readonly issuedPrefixes: readonly string[];
  readonly macaroonPrefix: string;
}

/**
 * A classifier. What an issued key says of itself never changes, nor does the form of a token, so both are remembered, by SHA-256
 * of the credential; the credential and its secret are not.
 */
export function createClassifier({ issuedPrefixes, macaroonPrefix }: ClassifierOptions): Classify {
  const remembered = new BoundedMap<string, Credential>(MAX_REMEMBERED);

  return (credential) => {
    const digest = digestOf(credential);
    const known = remembered.get(digest);
    if (known !== undefined) return known;
    const fresh = classifyNew(credential, digest);
    if (fresh.kind !== "imported") remembered.set(digest, fresh);
    return fresh;
  };

  function classifyNew(credential: string, digest: string): Credential {
    if (isJwtShaped(credential)) return { kind: "jwt", digest };
    if (isMacaroonShaped(credential, macaroonPrefix)) return { kind: "macaroon", digest };
    const parsed = parseIssuedKey(credential, issuedPrefixes);
    if (!("value" in parsed)) {
      return { kind: "imported", rawKey: credential, mistyped: parsed.error === "mistyped" };
    }
    const { keyId, secret } = parsed.value;
    return { kind: "issued", keyId, secretHash: hashSecret(secret) };
  }
}
