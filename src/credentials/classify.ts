import { type IssuedKey, parseIssuedKey } from "./issued-key.js";

/** What a credential is, told from its form alone. */
export type Credential =
  | { readonly kind: "issued"; readonly key: IssuedKey }
  /** Anything that is not of a form of our own. `mistyped`: it has an issued key's prefix but not its checksum. */
  | { readonly kind: "imported"; readonly rawKey: string; readonly mistyped: boolean };

/** Tells credentials apart. `prefixes` are the current and retired prefixes of issued keys. */
export function classifyCredential(credential: string, prefixes: readonly string[]): Credential {
  const issued = parseIssuedKey(credential, prefixes);
  if ("value" in issued) return { kind: "issued", key: issued.value };
  return { kind: "imported", rawKey: credential, mistyped: issued.error === "mistyped" };
}
