/**
 * Derived tokens as JWTs (RFC 7519) in the compact serialization (RFC 7515 section 7.1), signed with EdDSA (RFC 8037) or
 * RS256. The header has the members alg, kid and typ, and no other.
 */
import { type KeyObject, verify } from "node:crypto";
import { CompactSign } from "jose";
import { decodeBase64Url } from "./base64url.js";
import { claimsFromJson, claimsToJson, type DerivedClaims, MAX_TOKEN_CHARACTERS } from "./derived-claims.js";
import { decodeUtf8, isJsonObject, type JsonValue, parseJson } from "./json.js";

const TYPE = "JWT";
const PARTS = 3;
const HEADER_MEMBERS: ReadonlySet<string> = new Set(["alg", "kid", "typ"]);
/** The signature may be empty, as that of `"alg": "none"` is: such a token is a JWT, if none that verifies. */
const COMPACT_FORM = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

export type JwtAlgorithm = "EdDSA" | "RS256";

const KEY_TYPES: Readonly<Record<JwtAlgorithm, string>> = { EdDSA: "ed25519", RS256: "rsa" };
/** What is hashed before it is signed: EdDSA does that itself (RFC 8032). RSA keys pad by PKCS #1 version 1.5 here. */
const DIGESTS: Readonly<Record<JwtAlgorithm, string | null>> = { EdDSA: null, RS256: "sha256" };

/** RSA keys have at least 2048 bits. */
export interface JwtSigningKey {
  readonly kid: string;
  readonly alg: JwtAlgorithm;
  readonly privateKey: KeyObject;
}

export interface JwtVerificationKey {
  readonly alg: JwtAlgorithm;
  readonly publicKey: KeyObject;
}

export interface JwtExpectations {
  readonly issuer: string;
  readonly audience?: string | undefined;
  /** The key with that id. `kid` is any text: it must not be used as a path, or to look up inherited properties. */
  readonly keyOf: (kid: string) => JwtVerificationKey | undefined;
}

export type VerifiedJwt = { readonly claims: DerivedClaims } | { readonly error: "signature_invalid" };

const SIGNATURE_INVALID: VerifiedJwt = { error: "signature_invalid" };

/**
 * Whether a credential has the form of a JWT: three parts of base64url characters, the first of which is a JSON object.
 * Says nothing about its content. Never throws.
 */
export function isJwtShaped(credential: string): boolean {
  if (credential.length > MAX_TOKEN_CHARACTERS) return false;
  const [, header] = COMPACT_FORM.exec(credential) ?? [];
  return header !== undefined && isJsonObject(parseJson(decodeUtf8(Buffer.from(header, "base64url"))));
}

/** Makes a token. It may be longer than `MAX_TOKEN_CHARACTERS` when there are many scopes: the caller checks. */
export async function signJwt(claims: DerivedClaims, key: JwtSigningKey): Promise<string> {
  return await new CompactSign(Buffer.from(JSON.stringify(claimsToJson(claims))))
    .setProtectedHeader({ alg: key.alg, typ: TYPE, kid: key.kid })
    .sign(key.privateKey);
}

/**
 * Reads a token that this service signed. Refused, with one error for everything, is a token
 * - that has a part which is not canonical base64url,
 * - whose header has another type or any further member, crit, jku, jwk and x5c among them,
 * - whose kid is unknown, or whose algorithm is not the one of that kid,
 * - whose signature does not hold,
 * - whose claims are not of the shape that `claimsToJson` writes,
 * - of another issuer or audience. A token with an audience is refused where none is configured, and one without where
 *   one is: it was made for somebody else.
 *
 * The times are not looked at: the caller has the clock. Of members with the same name the last one counts.
 * Never throws, whatever the token. The signature is checked by node:crypto: jose does so by WebCrypto, in another thread, which
 * takes twice the time; in the tests jose has to agree. A key that does not fit its algorithm is a mistake of the caller and
 * throws.
 */
export function verifyJwt(token: string, expected: JwtExpectations): VerifiedJwt {
  if (token.length > MAX_TOKEN_CHARACTERS) return SIGNATURE_INVALID;
  const [header, payload, signature, ...more] = token.split(".", PARTS + 1).map(decodeBase64Url);
  if (!header || !payload || !signature || more.length > 0) return SIGNATURE_INVALID;

  const key = findKey(parseJson(decodeUtf8(header)), expected);
  if (key === undefined || !holdsSignature(token, signature, key)) return SIGNATURE_INVALID;

  const claims = claimsFromJson(parseJson(decodeUtf8(payload)));
  if (claims?.issuer !== expected.issuer || claims.audience !== expected.audience) return SIGNATURE_INVALID;
  return { claims };
}

/** The key that the header of a token names, if the token may be signed with it. */
function findKey(header: JsonValue | undefined, { keyOf }: JwtExpectations): JwtVerificationKey | undefined {
  if (!isJsonObject(header) || Object.keys(header).some((name) => !HEADER_MEMBERS.has(name))) return undefined;
  if (header.typ !== TYPE || typeof header.kid !== "string") return undefined;
  const key = keyOf(header.kid);
  return key?.alg === header.alg ? key : undefined;
}

/** RFC 7515 section 5.2: over the first two parts as they are written. */
function holdsSignature(token: string, signature: Uint8Array, { alg, publicKey }: JwtVerificationKey): boolean {
  if (publicKey.asymmetricKeyType !== KEY_TYPES[alg]) throw new TypeError(`a key for ${alg} is of another type`);
  const signed = Buffer.from(token.slice(0, token.lastIndexOf(".")));
  return verify(DIGESTS[alg], signed, publicKey, signature);
}
