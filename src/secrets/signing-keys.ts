import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { DataDirectoryError } from "./data-directory-error.js";

/** A private key that derived tokens are signed with. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: "EdDSA";
  readonly privateKey: KeyObject;
}

/** A new private JWK Set (RFC 7517) with one Ed25519 key (RFC 8037), named by its thumbprint (RFC 7638). */
export function generateSigningJwks(): string {
  const { crv, kty, x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return `${JSON.stringify({ keys: [{ kty, crv, x, d, kid, use: "sig", alg: "EdDSA" }] }, undefined, 2)}\n`;
}

/**
 * The keys of a private JWK Set.
 * @throws DataDirectoryError naming the file, never its content
 */
export function parseSigningJwks(path: string, content: string): readonly SigningKey[] {
  const jwks = parseJson(path, content);
  const list: unknown = isObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(list) || list.length === 0) {
    throw new DataDirectoryError(path, 'must be a JSON object with a list of "keys"; restore it from a backup');
  }
  const keys = list.map((jwk: unknown, index) => parseJwk(path, `keys[${index}]`, jwk));
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    throw new DataDirectoryError(path, "has two keys with the same kid");
  }
  return keys;
}

function parseJwk(path: string, place: string, jwk: unknown): SigningKey {
  if (!isObject(jwk)) throw new DataDirectoryError(path, `${place} must be an object`);
  const { kid, alg, kty, crv, use, d } = jwk;
  if (typeof kid !== "string" || kid === "") throw new DataDirectoryError(path, `${place} has no kid`);
  if (kty !== "OKP" || crv !== "Ed25519" || alg !== "EdDSA" || use !== "sig" || typeof d !== "string") {
    throw new DataDirectoryError(path, `${place} must be a private Ed25519 key with alg EdDSA and use sig`);
  }
  try {
    return { kid, alg, privateKey: createPrivateKey({ format: "jwk", key: jwk as JsonWebKey }) };
  } catch {
    // No cause: it could show a part of the key.
    throw new DataDirectoryError(path, `${place} is damaged; restore the file from a backup`);
  }
}

function parseJson(path: string, content: string): unknown {
  if (content.trim() === "") throw new DataDirectoryError(path, "is empty: restore it from a backup");
  try {
    return JSON.parse(content);
  } catch {
    // No cause: a SyntaxError quotes the content.
    throw new DataDirectoryError(path, "is not valid JSON; restore it from a backup");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
