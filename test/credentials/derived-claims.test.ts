import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  claimsFromJson,
  claimsToJson,
  findReservedClaims,
  MAX_TOKEN_CHARACTERS,
  RESERVED_CLAIMS,
} from "../../src/credentials/derived-claims.js";
import { type JsonValue, parseJson } from "../../src/credentials/json.js";
import { anyClaims, SAMPLE_JSON, sampleClaims } from "./sample-claims.js";

/** `SAMPLE_JSON` without one of its members. */
function without(name: string): JsonValue {
  const { [name]: _, ...rest } = SAMPLE_JSON;
  return rest;
}

describe("claims as JSON", () => {
  test("have registered names, and the custom claims beside them", () => {
    expect(claimsToJson({ ...sampleClaims, custom: { plan: "pro", limits: { rps: 5 } } })).toEqual({
      ...SAMPLE_JSON,
      plan: "pro",
      limits: { rps: 5 },
    });
  });

  test("have aud and acl only when they are said, acl also when it is empty", () => {
    expect(claimsToJson(sampleClaims)).toEqual(SAMPLE_JSON);
    expect(claimsToJson({ ...sampleClaims, audience: "api", allowedCidrs: ["10.0.0.0/8"] })).toEqual({
      ...SAMPLE_JSON,
      aud: "api",
      acl: ["10.0.0.0/8"],
    });
    expect(claimsToJson({ ...sampleClaims, allowedCidrs: [] })).toEqual({ ...SAMPLE_JSON, acl: [] });
  });

  test("name whole seconds, never later ones", () => {
    const issueTime = new Date(1_700_000_000_999);
    const expireTime = new Date(1_700_000_900_999);
    expect(claimsToJson({ ...sampleClaims, issueTime, expireTime })).toEqual(SAMPLE_JSON);
  });

  test("are not made with a custom claim of a reserved name", () => {
    const custom = { plan: "pro", iss: "else", scope: "all" };
    expect(() => claimsToJson({ ...sampleClaims, custom })).toThrow(
      new Error("custom claims have reserved names: iss, scope"),
    );
  });

  test("are read again, whatever they say", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        expect(claimsFromJson(parseJson(JSON.stringify(claimsToJson(claims))))).toEqual(claims);
      }),
      { seed: 1 },
    );
  });

  test("make no reader throw, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(SAMPLE_JSON), "acl", "aud"), (value, name) => {
        expect(claimsFromJson(value as JsonValue)).toBeUndefined();
        const claims = claimsFromJson({ ...SAMPLE_JSON, [name]: value } as JsonValue);
        if (claims !== undefined) expect(claimsToJson(claims)).toEqual({ ...SAMPLE_JSON, [name]: value });
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe("claims are not read", () => {
  test.each<[string, JsonValue | undefined]>([
    ["when there is no JSON", undefined],
    ["from null", null],
    ["from a list", [SAMPLE_JSON]],
    ["from text", "{}"],
    ...Object.keys(SAMPLE_JSON).map((name): [string, JsonValue] => [`without ${name}`, without(name)]),
    ...["iss", "sub", "jti", "act", "nid", "aud"].flatMap((name): [string, JsonValue][] => [
      [`with a number as ${name}`, { ...SAMPLE_JSON, [name]: 1 }],
      [`with null as ${name}`, { ...SAMPLE_JSON, [name]: null }],
      [`with a list as ${name}`, { ...SAMPLE_JSON, [name]: ["api"] }],
      [`with an empty ${name}`, { ...SAMPLE_JSON, [name]: "" }],
    ]),
    ...["scp", "acl"].flatMap((name): [string, JsonValue][] => [
      [`with text as ${name}`, { ...SAMPLE_JSON, [name]: "read write" }],
      [`with null as ${name}`, { ...SAMPLE_JSON, [name]: null }],
      [`with an object as ${name}`, { ...SAMPLE_JSON, [name]: { length: 0 } }],
      [`with a number in ${name}`, { ...SAMPLE_JSON, [name]: ["read", 1] }],
    ]),
    ...["iat", "exp"].flatMap((name): [string, JsonValue][] => [
      [`with text as ${name}`, { ...SAMPLE_JSON, [name]: "1700000000" }],
      [`with a part of a second in ${name}`, { ...SAMPLE_JSON, [name]: 1_700_000_000.5 }],
      [`with a negative ${name}`, { ...SAMPLE_JSON, [name]: -1 }],
      [`with milliseconds in ${name}`, { ...SAMPLE_JSON, [name]: 1_700_000_000_000 }],
      [`with the year 10000 in ${name}`, { ...SAMPLE_JSON, [name]: 253_402_300_800 }],
      [`with infinity in ${name}`, { ...SAMPLE_JSON, [name]: Number.POSITIVE_INFINITY }],
    ]),
    ["with another nbf than iat", { ...SAMPLE_JSON, nbf: 1_700_000_001 }],
    ["with a tenant that is no UUID", { ...SAMPLE_JSON, nid: "default" }],
    ["with a tenant in capitals", { ...SAMPLE_JSON, nid: "01890A5D-AC96-774B-BCCE-B302099A8057" }],
    ["with a root key that is no key id", { ...SAMPLE_JSON, sub: "../keys" }],
    ["with a root key of 63 hexadecimal characters", { ...SAMPLE_JSON, sub: "0".repeat(63) }],
    ["with a root key and more", { ...SAMPLE_JSON, sub: `${SAMPLE_JSON.sub}\n` }],
    ["with a claim of a reserved name", { ...SAMPLE_JSON, scope: "all" }],
    ["with __proto__", parseJson(`{"__proto__": {}, ${JSON.stringify(SAMPLE_JSON).slice(1)}`)],
    ["with constructor", { ...SAMPLE_JSON, constructor: "Object" }],
  ])("%s", (_, json) => {
    expect(claimsFromJson(SAMPLE_JSON)).toEqual(sampleClaims);
    expect(claimsFromJson(json)).toBeUndefined();
  });
});

test("a root key may be an imported one", () => {
  const sub = "0123456789abcdef".repeat(4);
  expect(claimsFromJson({ ...SAMPLE_JSON, sub })).toEqual({ ...sampleClaims, rootKeyId: sub });
});

test("the last of two members with the same name counts", () => {
  const json = JSON.stringify(SAMPLE_JSON).replace("{", '{"act": "first", "act": 7, ');
  expect(claimsFromJson(parseJson(json))).toEqual(sampleClaims);
});

describe("reserved claims", () => {
  test("are these", () => {
    expect([...RESERVED_CLAIMS].sort()).toEqual([
      ...["__proto__", "acl", "act", "aud", "azp", "client_id", "cnf", "constructor", "exp", "iat", "iss", "jti"],
      ...["may_act", "nbf", "nid", "prototype", "scope", "scopes", "scp", "sub"],
    ]);
  });

  test("hold every name that is written", () => {
    const written = claimsToJson({ ...sampleClaims, audience: "api", allowedCidrs: [] });
    expect(findReservedClaims(written)).toEqual(Object.keys(written));
  });

  test("are found in their order, also names that are special in JavaScript", () => {
    const custom = JSON.parse('{"plan": 1, "sub": 2, "__proto__": 3, "Iss": 4, "iss": 5, "toString": 6}');
    expect(findReservedClaims(custom)).toEqual(["sub", "__proto__", "iss"]);
    expect(findReservedClaims({})).toEqual([]);
  });
});

test("a token is as long as a credential may be", () => {
  expect(MAX_TOKEN_CHARACTERS).toBe(16 * 1024);
});
