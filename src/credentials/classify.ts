import { hash } from "node:crypto";
import { hashSecret, parseIssuedKey } from "./issued-key.js";

/** What a credential is, told from its form alone. */
export type Credential =
  | { readonly kind: "issued"; readonly keyId: string; readonly secretHash: Uint8Array }
  /** Anything that is not of a form of our own. `mistyped`: it has an issued key's prefix but not its checksum. */
  | { readonly kind: "imported"; readonly rawKey: string; readonly mistyped: boolean };

/** Tells credentials apart. */
export type Classify = (credential: string) => Credential;

/** A few hundred bytes each. */
const MAX_REMEMBERED = 50_000;

/**
 * A classifier for issued keys with one of `prefixes`, current or retired. What an issued key says of itself never changes,
 * so it is remembered, by SHA-256 of the credential; the credential and its secret are not.
 */
export function createClassifier(prefixes: readonly string[]): Classify {
  const remembered = new Map<string, Credential>();

  return (credential) => {
    const digest = hash("sha256", credential, "base64");
    const known = remembered.get(digest);
    if (known !== undefined) return known;

    const parsed = parseIssuedKey(credential, prefixes);
    if (!("value" in parsed)) {
      return { kind: "imported", rawKey: credential, mistyped: parsed.error === "mistyped" };
    }
    const { keyId, secret } = parsed.value;
    const issued: Credential = { kind: "issued", keyId, secretHash: hashSecret(secret) };
    if (remembered.size === MAX_REMEMBERED) forgetOldest(remembered);
    remembered.set(digest, issued);
    return issued;
  };
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
