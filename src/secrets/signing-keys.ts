import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { SigningKeysError } from "./signing-keys-error.js";

export type SigningAlgorithm = "EdDSA" | "RS256";

/** A public JWK: strings only, and none of a private parameter. */
export type PublicJwk = Readonly<Record<string, string>>;

/** A key of derived tokens. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /** Absent: the key signs nothing any more, but what it signed still verifies. */
  readonly privateKey?: KeyObject;
  readonly publicKey: KeyObject;
  /** The public parameters, `kid`, `alg` and `use: sig`. */
  readonly publicJwk: PublicJwk;
}

export interface ParsedSigningKey {
  readonly key: SigningKey;
  /** Whether its JWK itself says `use: sig`. */
  readonly saysUse: boolean;
  /** `nbf` of its JWK, in seconds of Unix time: it signs nothing before, and from then on instead of those with an earlier one. */
  readonly notBefore: number | undefined;
}

/** A kind of key that is accepted, by its JWK. */
interface KeyKind {
  readonly kty: string;
  readonly crv: string | undefined;
  readonly alg: SigningAlgorithm;
  readonly publicParameters: readonly string[];
  /** As `sign` wants it. */
  readonly digest: string | null;
}

const KEY_KINDS: readonly KeyKind[] = [
  { kty: "OKP", crv: "Ed25519", alg: "EdDSA", publicParameters: ["kty", "crv", "x"], digest: null },
  { kty: "RSA", crv: undefined, alg: "RS256", publicParameters: ["kty", "n", "e"], digest: "sha256" },
];
/** RFC 7518 section 6.3.2, RFC 8037 section 2. */
const PRIVATE_PARAMETERS = ["d", "p", "q", "dp", "dq", "qi", "oth"];
/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2_048;
/** Signed once to see that the two parts of a key belong together; says nothing, and is no token. */
const PROBE = Buffer.from("latchkey/signing-key-probe/v1");

/** What a new RSA key has; RFC 7518 section 3.3 asks for 2,048 at least. */
const DEFAULT_RSA_BITS = 3_072;

/** Where the generated set is. */
export function signingJwksFile(directory: string): string {
  return join(directory, "signing-jwks.json");
}

/** A new private JWK Set (RFC 7517) with one key. */
export function generateSigningJwks(algorithm: SigningAlgorithm = "EdDSA", rsaBits = DEFAULT_RSA_BITS): string {
  return formatJwks([generateSigningJwk(algorithm, rsaBits)]);
}

export function formatJwks(keys: readonly object[]): string {
  return `${JSON.stringify({ keys }, undefined, 2)}\n`;
}

/** A new private JWK: Ed25519 (RFC 8037), or RSA (RFC 7518) of so many bits. It is named by its thumbprint. */
export function generateSigningJwk(algorithm: SigningAlgorithm = "EdDSA", rsaBits = DEFAULT_RSA_BITS) {
  const jwk = algorithm === "EdDSA" ? generateEd25519() : generateRsa(rsaBits);
  return { ...jwk, use: "sig", alg: algorithm };
}

function generateEd25519() {
  const { crv, kty, x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return { kty, crv, x, d, kid: thumbprint({ crv, kty, x }) };
}

function generateRsa(modulusLength: number) {
  const jwk = generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ format: "jwk" });
  const { e, kty, n } = jwk;
  return { ...jwk, kid: thumbprint({ e, kty, n }) };
}

/** RFC 7638, of the members that it asks for, in their order. */
function thumbprint(members: object): string {
  return createHash("sha256").update(JSON.stringify(members)).digest("base64url");
}

/**
 * The keys of a JWK Set, in its order: Ed25519 keys for EdDSA and RSA keys for RS256, private or public. Keys with
 * `use: enc` are somebody else's and left out; any other key that is not as it should be refuses the whole set, for a key
 * that silently does nothing is found too late.
 * @throws SigningKeysError naming the place, and the key by its position
 */
export function parseSigningJwks(place: string, content: string): readonly ParsedSigningKey[] {
  const jwks = parseJson(place, content);
  const list: unknown = isObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(list) || list.length === 0) {
    throw new SigningKeysError(place, 'must be a JSON object with a list of "keys"');
  }
  return list.flatMap((jwk: unknown, index) => {
    return parseJwk(jwk, (problem) => new SigningKeysError(place, `keys[${index}] ${problem}`)) ?? [];
  });
}

type Refuse = (problem: string) => SigningKeysError;

function parseJwk(jwk: unknown, refuse: Refuse): ParsedSigningKey | undefined {
  if (!isObject(jwk)) throw refuse("must be an object");
  const { kty, crv, kid, alg, use, nbf } = jwk;
  if (kty === "oct") throw refuse("is a symmetric key, which nobody else could verify tokens with");
  if (use === "enc") return undefined;
  if (use !== undefined && use !== "sig") throw refuse("has a use that is neither sig nor enc");
  if (typeof kid !== "string" || kid === "") throw refuse("has no kid");
  if (nbf !== undefined && !isTime(nbf)) throw refuse("has an nbf that is no time in seconds");
  const kind = KEY_KINDS.find((candidate) => candidate.kty === kty && candidate.crv === crv);
  if (kind === undefined || (alg !== undefined && alg !== kind.alg)) {
    throw refuse("must be an Ed25519 key with alg EdDSA, or an RSA key with alg RS256");
  }
  const publicKey = importPublicKey(jwk, kind, refuse);
  const isPrivate = PRIVATE_PARAMETERS.some((name) => jwk[name] !== undefined);
  const key = {
    kid,
    alg: kind.alg,
    ...(isPrivate && { privateKey: importPrivateKey(jwk, kind, publicKey, refuse) }),
    publicKey,
    publicJwk: createPublicJwk(publicKey, kid, kind.alg),
  };
  return { key, saysUse: use === "sig", notBefore: nbf };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function importPublicKey(jwk: Readonly<Record<string, unknown>>, kind: KeyKind, refuse: Refuse): KeyObject {
  const parameters = Object.fromEntries(kind.publicParameters.map((name) => [name, jwk[name]]));
  const key = orRefuse(() => createPublicKey({ format: "jwk", key: parameters as JsonWebKey }), refuse);
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    throw refuse(`must have at least ${MIN_RSA_BITS} bits`);
  }
  return key;
}

/** Node takes an Ed25519 key whose `x` belongs to another `d`, so both parts are tried on each other. */
function importPrivateKey(jwk: JsonWebKey, { digest }: KeyKind, publicKey: KeyObject, refuse: Refuse): KeyObject {
  return orRefuse(() => {
    const key = createPrivateKey({ format: "jwk", key: jwk });
    if (!verify(digest, PROBE, publicKey, sign(digest, PROBE, key)))
      throw new Error("the parts do not belong together");
    return key;
  }, refuse);
}

/** From the public key alone: what a private JWK holds besides cannot get here. */
function createPublicJwk(publicKey: KeyObject, kid: string, alg: SigningAlgorithm): PublicJwk {
  const parameters = publicKey.export({ format: "jwk" }) as Record<string, string>;
  return Object.freeze({ ...parameters, kid, alg, use: "sig" });
}

function orRefuse<T>(importKey: () => T, refuse: Refuse): T {
  try {
    return importKey();
  } catch {
    // No cause: it could show a part of the key.
    throw refuse("is damaged");
  }
}

function parseJson(place: string, content: string): unknown {
  if (content.trim() === "") throw new SigningKeysError(place, "is empty");
  try {
    return JSON.parse(content);
  } catch {
    // No cause: a SyntaxError quotes the content.
    throw new SigningKeysError(place, "is not valid JSON");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
