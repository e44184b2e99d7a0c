import { createPublicKey, type JsonWebKey, sign, verify } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { calculateJwkThumbprint } from "jose";
import { generateSigningJwks, parseSigningJwks } from "../../src/secrets/signing-keys.js";
import { SigningKeysError } from "../../src/secrets/signing-keys-error.js";
import { ed25519Jwk, jwksText, privateValues, publicPart, rsaJwk, type TestJwk } from "./test-jwks.js";

const MESSAGE = Buffer.from("message");
const ED = ed25519Jwk("ed");
const RSA = rsaJwk("rsa");

function parse(...jwks: TestJwk[]) {
  return parseSigningJwks("PLACE", jwksText(...jwks));
}

function parseOne(jwk: TestJwk) {
  const [parsed] = parse(jwk);
  if (parsed === undefined) throw new Error("no key");
  return parsed;
}

function mistakeOf(content: string): string {
  try {
    parseSigningJwks("PLACE", content);
  } catch (error) {
    if (error instanceof SigningKeysError && error.cause === undefined) return error.message;
    throw error;
  }
  throw new Error("was taken");
}

describe("a key", () => {
  test.each<[string, string | null, TestJwk]>([
    ["EdDSA", null, ED],
    ["EdDSA", null, { ...ED, alg: "EdDSA", use: "sig" }],
    ["RS256", "sha256", RSA],
    ["RS256", "sha256", { ...RSA, alg: "RS256", use: "sig" }],
  ])("for %s is taken", (alg, digest, jwk) => {
    const { key, saysUse } = parseOne(jwk);
    expect(key).toMatchObject({ kid: jwk.kid, alg });
    expect(saysUse).toBe("use" in jwk);
    if (key.privateKey === undefined) throw new Error("no private part");
    const signature = sign(digest, MESSAGE, key.privateKey);
    expect(verify(digest, MESSAGE, createPublicKey({ format: "jwk", key: jwk as JsonWebKey }), signature)).toBe(true);
    expect(verify(digest, MESSAGE, key.publicKey, signature)).toBe(true);
  });

  test("tells its public parameters, and no others", () => {
    const expected = { kid: "ed", alg: "EdDSA", use: "sig", kty: "OKP", crv: "Ed25519", x: ED.x };
    expect(parseOne({ ...ED, x5c: ["a"], extra: "b" }).key.publicJwk).toEqual(expected);
    expect(parseOne(RSA).key.publicJwk).toEqual({
      kid: "rsa",
      alg: "RS256",
      use: "sig",
      kty: "RSA",
      n: RSA.n,
      e: RSA.e,
    });
  });

  test.each([
    ["Ed25519", ED],
    ["RSA", RSA],
  ])("may be public only: %s", (_name, jwk) => {
    const { key } = parseOne(publicPart(jwk));
    expect(key).not.toHaveProperty("privateKey");
    expect(key.publicJwk).toEqual(parseOne(jwk).key.publicJwk);
  });

  test("for encryption is left out, whatever it is", () => {
    const others = [{ ...RSA, use: "enc", alg: "RSA-OAEP" }, { kty: "EC", crv: "P-256", use: "enc" }, ED];
    expect(parse(...others).map(({ key }) => key.kid)).toEqual(["ed"]);
  });

  test("does not show its private part when it is printed", () => {
    const keys = parse(ED, RSA);
    const printed = inspect(keys, { depth: 10, showHidden: true }) + JSON.stringify(keys);
    for (const value of [...privateValues(ED), ...privateValues(RSA)]) expect(printed).not.toContain(value);
  });
});

test("a generated set holds one private key that says what it is for", () => {
  const [parsed, ...others] = parseSigningJwks("PLACE", generateSigningJwks());
  expect(others).toEqual([]);
  expect(parsed?.saysUse).toBe(true);
  expect(parsed?.key.alg).toBe("EdDSA");
  expect(parsed?.key.privateKey?.type).toBe("private");
});

test("a generated RSA set is of the size that is asked for, and named by its thumbprint", async () => {
  const jwks = generateSigningJwks("RS256", 2_048);
  const [parsed, ...others] = parseSigningJwks("PLACE", jwks);
  expect(others).toEqual([]);
  expect(parsed).toMatchObject({ saysUse: true, key: { alg: "RS256", privateKey: { type: "private" } } });
  expect(parsed?.key.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2_048);
  const [jwk] = JSON.parse(jwks).keys;
  expect(parsed?.key.kid).toBe(await calculateJwkThumbprint(jwk));
});

describe("a set is refused, and its place named", () => {
  const kinds = "must be an Ed25519 key with alg EdDSA, or an RSA key with alg RS256";
  const other = ed25519Jwk("ed");

  test.each([
    ["", "PLACE: is empty"],
    [" \n", "PLACE: is empty"],
    ['{"keys":[{"d":"hunter2', "PLACE: is not valid JSON"],
    ["[]", 'PLACE: must be a JSON object with a list of "keys"'],
    ["null", 'PLACE: must be a JSON object with a list of "keys"'],
    ['{"keys":{}}', 'PLACE: must be a JSON object with a list of "keys"'],
    ['{"keys":[]}', 'PLACE: must be a JSON object with a list of "keys"'],
    ['{"keys":["hunter2"]}', "PLACE: keys[0] must be an object"],
    ['{"keys":[null]}', "PLACE: keys[0] must be an object"],
  ])("%j", (content, mistake) => {
    expect(mistakeOf(content)).toBe(mistake);
  });

  test.each<[string, TestJwk, string]>([
    ["without kid", { ...ED, kid: undefined }, "has no kid"],
    ["with an empty kid", { ...ED, kid: "" }, "has no kid"],
    ["with a number for a kid", { ...ED, kid: 1 }, "has no kid"],
    ["with another use", { ...ED, use: "hunter2" }, "has a use that is neither sig nor enc"],
    ["with text for an nbf", { ...ED, nbf: "hunter2" }, "has an nbf that is no time in seconds"],
    ["with a negative nbf", { ...ED, nbf: -1 }, "has an nbf that is no time in seconds"],
    ["with half a second for an nbf", { ...ED, nbf: 1.5 }, "has an nbf that is no time in seconds"],
    ["with null for a use", { ...ED, use: null }, "has a use that is neither sig nor enc"],
    [
      "that is symmetric",
      { kty: "oct", k: "hunter2", kid: "a", alg: "HS256" },
      "is a symmetric key, which nobody else could verify tokens with",
    ],
    [
      "that is symmetric and for encryption",
      { kty: "oct", k: "hunter2", use: "enc" },
      "is a symmetric key, which nobody else could verify tokens with",
    ],
    ["of a curve of ECDSA", { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "a" }, kinds],
    ["of another Edwards curve", { ...ED, crv: "Ed448" }, kinds],
    ["for key agreement", { ...ED, crv: "X25519" }, kinds],
    ["with a curve that its type does not have", { ...RSA, crv: "Ed25519" }, kinds],
    ["with the other one's alg", { ...ED, alg: "RS256" }, kinds],
    ["with another alg of RSA", { ...RSA, alg: "PS256" }, kinds],
    ["with alg none", { ...ED, alg: "none" }, kinds],
    ["without anything public", { kty: "OKP", crv: "Ed25519", kid: "a", d: ED.d }, "is damaged"],
    ["with a short x", { ...publicPart(ED), x: "AA" }, "is damaged"],
    ["with a short d", { ...ED, d: "hunter2" }, "is damaged"],
    ["with a d that is no text", { ...ED, d: 1 }, "is damaged"],
    ["with the d of another key", { ...ED, d: other.d }, "is damaged"],
    ["of RSA with half of a private part", { ...RSA, d: undefined }, "is damaged"],
    ["of RSA without its primes", { ...publicPart(RSA), d: RSA.d }, "is damaged"],
    ["of RSA with another modulus", { ...RSA, n: rsaJwk("x").n }, "is damaged"],
    ["of RSA that is too short", rsaJwk("a", {}, 1_024), "must have at least 2048 bits"],
    ["of RSA that is public and too short", publicPart(rsaJwk("a", {}, 1_024)), "must have at least 2048 bits"],
  ])("for a key %s", (_name, jwk, problem) => {
    expect(mistakeOf(jwksText(ED, jwk))).toBe(`PLACE: keys[1] ${problem}`);
  });
});
