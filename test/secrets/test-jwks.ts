import { generateKeyPairSync, type JsonWebKey } from "node:crypto";

export type TestJwk = Readonly<Record<string, unknown>>;

/** Every private parameter that a JWK of any kind can have (RFC 7518 section 6). */
export const PRIVATE_PARAMETERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** A private Ed25519 JWK without alg and use, but for `extra`. */
export function ed25519Jwk(kid: string, extra: TestJwk = {}): TestJwk {
  return { ...generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }), kid, ...extra };
}

/** A private RSA JWK without alg and use, but for `extra`. Making one takes a while. */
export function rsaJwk(kid: string, extra: TestJwk = {}, modulusLength = 2_048): TestJwk {
  return { ...generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ format: "jwk" }), kid, ...extra };
}

/** The JWK without its private part. */
export function publicPart(jwk: TestJwk): TestJwk {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_PARAMETERS.includes(name)));
}

/** Private values of a JWK, none of which may be seen anywhere. */
export function privateValues(jwk: TestJwk): string[] {
  const key = jwk as JsonWebKey;
  return [key.d, key.p, key.q, key.dp, key.dq, key.qi].filter((value) => value !== undefined);
}

export function jwksText(...keys: readonly TestJwk[]): string {
  return JSON.stringify({ keys });
}

export function base64Url(content: string): { reveal(): string } {
  return hidden(`base64://${Buffer.from(content).toString("base64")}`);
}

export function hidden(url: string): { reveal(): string } {
  return { reveal: () => url };
}
