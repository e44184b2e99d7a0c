import { describe, expect, test } from "@jest/globals";
import { createSigningKeySet, haveSameContent, publicJwks } from "../../src/secrets/signing-key-set.js";
import { parseSigningJwks } from "../../src/secrets/signing-keys.js";
import {
  ed25519Jwk,
  jwksText,
  PRIVATE_PARAMETERS,
  privateValues,
  publicPart,
  rsaJwk,
  type TestJwk,
} from "./test-jwks.js";

const A = ed25519Jwk("a");
const B = ed25519Jwk("b", { use: "sig" });
const C = ed25519Jwk("c", { use: "sig" });
const R = rsaJwk("r", { alg: "RS256" });

/** The moment that the sets are made for, as an `nbf`. */
const NOW = 1_800_000_000;
const NOW_MS = NOW * 1_000;

/** A set out of JWK Sets of these keys; their places are SET0, SET1 ... */
function setOf(sets: readonly (readonly TestJwk[])[], signingKeyId?: string, nowMs = NOW_MS) {
  const lists = sets.map((jwks, index) => {
    const place = `SET${index}`;
    return { place, keys: parseSigningJwks(place, jwksText(...jwks)) };
  });
  return createSigningKeySet(lists, signingKeyId, nowMs);
}

function nbf(jwk: TestJwk, seconds: number): TestJwk {
  return { ...jwk, nbf: seconds };
}

test("a set says when the next key's nbf comes", () => {
  expect(
    setOf([
      [A, nbf(B, NOW + 2)],
      [nbf(C, NOW + 1), nbf(R, NOW)],
    ]).untilMs,
  ).toBe(NOW_MS + 1_000);
  expect(setOf([[A, nbf(R, NOW)]]).untilMs).toBe(Number.POSITIVE_INFINITY);
});

describe("the key to sign with is", () => {
  test.each<[string, TestJwk[][], string | undefined, string]>([
    ["the one that is named", [[A, B], [C]], "c", "c"],
    ["the one that is named, also without a use", [[A, B]], "a", "a"],
    ["the first with use sig", [[A], [B, C]], undefined, "b"],
    ["the first with use sig that is private", [[A, publicPart(B)], [C]], undefined, "c"],
    ["the first that is private, when none says its use", [[publicPart(ed25519Jwk("x")), R, A]], undefined, "r"],
    ["the first that is private, when only public ones say it", [[publicPart(B)], [A, R]], undefined, "a"],
    ["one whose nbf has come rather than one without", [[A, { ...R, nbf: NOW }]], undefined, "r"],
    ["not one whose nbf has not come", [[A, { ...R, nbf: NOW + 1 }]], undefined, "a"],
    [
      "the one with the latest nbf that has come",
      [[B], [nbf(A, NOW), nbf(C, NOW - 1)], [nbf(R, NOW - 2)]],
      undefined,
      "c",
    ],
    ["the first of those with the same nbf", [[B, nbf(C, NOW), nbf(A, NOW)]], undefined, "c"],
    ["the first, when none of them has come", [[nbf(B, NOW + 2), nbf(C, NOW + 1)]], undefined, "b"],
    ["the one that is named, before its nbf", [[A, nbf(B, NOW + 1)]], "b", "b"],
  ])("%s", (_name, sets, signingKeyId, kid) => {
    const { signing } = setOf(sets, signingKeyId);
    expect(signing.kid).toBe(kid);
    expect(signing.privateKey.type).toBe("private");
  });

  test.each<[string, TestJwk[][], string | undefined, string]>([
    ["is not there", [[A], [B]], "z", "tokens.signing_key_id: names no key of the JWK Sets"],
    ["is for encryption", [[A, { ...R, use: "enc" }]], "r", "tokens.signing_key_id: names no key of the JWK Sets"],
    ["is public", [[A, publicPart(B)]], "b", "tokens.signing_key_id: names a key without a private part"],
    [
      "does not exist",
      [[publicPart(A)], [publicPart(B)]],
      undefined,
      "SET0, SET1: no key has a private part to sign with",
    ],
  ])("refused when it %s", (_name, sets, signingKeyId, message) => {
    expect(() => setOf(sets, signingKeyId)).toThrow(expect.objectContaining({ name: "SigningKeysError", message }));
  });
});

describe("a set", () => {
  test("holds every key, by its kid, in order", () => {
    const set = setOf([[A, publicPart(B)], [R]]);
    expect(set.keys.map(({ kid, alg }) => `${kid} ${alg}`)).toEqual(["a EdDSA", "b EdDSA", "r RS256"]);
    for (const key of set.keys) expect(set.find(key.kid)).toBe(key);
    expect(set.find("z")).toBeUndefined();
    expect(set.find("constructor")).toBeUndefined();
  });

  test.each([
    ["one", [[A, B, ed25519Jwk("a")]], "SET0"],
    ["several", [[A], [B], [publicPart(A)]], "SET2"],
  ])("has no kid twice, in %s", (_name, sets, place) => {
    const message = `${place}: has a key whose kid another key has too`;
    expect(() => setOf(sets)).toThrow(expect.objectContaining({ name: "SigningKeysError", message }));
  });

  test.each<[string, TestJwk[][], TestJwk[][], boolean]>([
    ["the same keys", [[A, B]], [[A, B]], true],
    ["the same keys in other sets", [[A, B]], [[A], [B]], true],
    ["one key more", [[A]], [[A, publicPart(B)]], false],
    ["another key under its kid", [[A]], [[ed25519Jwk("a")]], false],
    ["another key to sign with", [[B, C]], [[{ ...B, use: undefined }, C]], false],
    ["a key that lost its private part", [[A, R]], [[A, publicPart(R)]], false],
  ])("with %s is another one or not", (_name, first, second, same) => {
    expect(haveSameContent(setOf(first), setOf(second))).toBe(same);
  });
});

test("what is published holds nothing private", () => {
  const everything = { ...R, oth: [{ r: "a", d: "b", t: "c" }], k: "d" };
  const jwks = publicJwks(setOf([[A, publicPart(B)], [everything]]));
  expect(jwks.keys.map((jwk) => Object.keys(jwk).sort())).toEqual([
    ["alg", "crv", "kid", "kty", "use", "x"],
    ["alg", "crv", "kid", "kty", "use", "x"],
    ["alg", "e", "kid", "kty", "n", "use"],
  ]);
  for (const jwk of jwks.keys) {
    expect(Object.keys(jwk).filter((name) => PRIVATE_PARAMETERS.includes(name))).toEqual([]);
  }
  const published = JSON.stringify(jwks);
  for (const value of [...privateValues(A), ...privateValues(R)]) expect(published).not.toContain(value);
  expect(jwks.keys.map(({ kid, alg, use }) => `${kid} ${alg} ${use}`)).toEqual([
    "a EdDSA sig",
    "b EdDSA sig",
    "r RS256 sig",
  ]);
});
