import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { addCaveat, createMacaroon, verifySignature } from "../../src/credentials/macaroon.js";
import { encodeMacaroon, type Macaroon } from "../../src/credentials/macaroon-codec.js";
import {
  createClaimsMacaroon,
  formatMacaroonToken,
  isMacaroonShaped,
  macaroonRootKey,
  parseMacaroonToken,
} from "../../src/credentials/macaroon-token.js";
import { importMacaroon } from "./macaroon-package.js";
import { vectors } from "./macaroon-vectors.js";
import { anyClaims, SAMPLE_JSON, sampleClaims } from "./sample-claims.js";

const ROOT_KEY = Buffer.alloc(32, 7);
const HKDF_KEY = Buffer.alloc(32, 1);
const SEED = Buffer.alloc(32, 2);
const TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";
const KEY_ID = "01890a5d-ac97-774b-bcce-b302099a8057";
const INVALID = { error: "invalid_format" };

const macaroon = createClaimsMacaroon(sampleClaims, ROOT_KEY);
const token = formatMacaroonToken(macaroon, "mc");

function withCaveats(count: number): Macaroon {
  const caveats = Array.from({ length: count }, (_, index) => Buffer.from(`exp <= ${index}`));
  return caveats.reduce(addCaveat, macaroon);
}

describe("a macaroon token", () => {
  test("is the prefix, the version and the macaroon, whose identifier is the claims", () => {
    expect(token).toBe(`mc_v1_${Buffer.from(encodeMacaroon(macaroon)).toString("base64url")}`);
    const { identifier } = importMacaroon(Buffer.from(token.slice("mc_v1_".length), "base64url"));
    expect(JSON.parse(Buffer.from(identifier).toString())).toEqual(SAMPLE_JSON);
  });

  test("is read again with the caveats in their order, whatever it says", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const narrowed = ["exp <= 1", 'scp subset ["a"]', "other"].reduce(
          (held, caveat) => addCaveat(held, Buffer.from(caveat)),
          createClaimsMacaroon(claims, ROOT_KEY),
        );
        const parsed = parseMacaroonToken(formatMacaroonToken(narrowed, "mc"), "mc");
        expect(parsed).toEqual({
          macaroon: narrowed,
          claims,
          caveats: [{ kind: "exp", expireTime: new Date(1000) }, { kind: "scp", scopes: ["a"] }, { kind: "unknown" }],
        });
        expect("macaroon" in parsed && verifySignature(parsed.macaroon, ROOT_KEY)).toBe(true);
      }),
      { seed: 1 },
    );
  });

  test("may have 64 caveats and no more", () => {
    expect(parseMacaroonToken(formatMacaroonToken(withCaveats(64), "mc"), "mc")).toHaveProperty("caveats.length", 64);
    expect(parseMacaroonToken(formatMacaroonToken(withCaveats(65), "mc"), "mc")).toEqual(INVALID);
  });

  test("has its issuer as location; what it has there is not signed", () => {
    expect(macaroon.location).toBe(sampleClaims.issuer);
    const other = { ...macaroon, location: "else" };
    const parsed = parseMacaroonToken(formatMacaroonToken(other, "mc"), "mc");
    expect(parsed).toEqual({ macaroon: other, claims: sampleClaims, caveats: [] });
    expect(verifySignature(other, ROOT_KEY)).toBe(true);
  });

  test("is taken apart before its signature is known to hold", () => {
    const parsed = parseMacaroonToken(formatMacaroonToken({ ...macaroon, signature: SEED }, "mc"), "mc");
    expect(parsed).toMatchObject({ claims: sampleClaims });
    expect("macaroon" in parsed && verifySignature(parsed.macaroon, ROOT_KEY)).toBe(false);
  });

  test("is at most 16 KiB long", () => {
    const fill = (prefix: string) => {
      const bare = encodeMacaroon(addCaveat(macaroon, Buffer.alloc(200))).length - 200; // both lengths have two bytes
      return formatMacaroonToken(addCaveat(macaroon, Buffer.alloc(12_283 - bare)), prefix);
    };
    expect(fill("")).toHaveLength(16_382);
    expect(parseMacaroonToken(fill("ab"), "ab")).toHaveProperty("claims");
    expect(fill("ab")).toHaveLength(16_384);
    expect(parseMacaroonToken(fill("abc"), "abc")).toEqual(INVALID);
  });

  test("is told by its prefix", () => {
    expect(isMacaroonShaped(token, "mc")).toBe(true);
    expect(isMacaroonShaped("mc_v1_", "mc")).toBe(true);
    for (const other of ["", "mc", "mc_v1", "mc_v2_AgE", "MC_v1_AgE", " mc_v1_AgE", "amc_v1_AgE", "mc__v1_AgE"]) {
      expect(isMacaroonShaped(other, "mc")).toBe(false);
      expect(parseMacaroonToken(other, "mc")).toEqual(INVALID);
    }
    expect(parseMacaroonToken(token, "m")).toEqual(INVALID);
  });
});

describe("a text that is no macaroon token", () => {
  const body = token.slice("mc_v1_".length);

  test.each([
    ["has no macaroon", "mc_v1_"],
    ["has padding", `${token}=`],
    ["has white space at the end", `${token}\n`],
    ["has white space inside", `mc_v1_${body.slice(0, 8)} ${body.slice(8)}`],
    ["has the alphabet of base64", `mc_v1_${body.slice(0, 8)}+${body.slice(9)}`],
    ["has more characters", `${token}AAAA`],
    ["is a list of two", `${token}${body}`],
    ["is version 1 of the format", `mc_v1_${Buffer.from("0011location a\n").toString("base64url")}`],
    ["is JSON", `mc_v1_${Buffer.from('{"v":2}').toString("base64url")}`],
  ])("%s", (_, text) => {
    expect(parseMacaroonToken(token, "mc")).toHaveProperty("claims", sampleClaims);
    expect(parseMacaroonToken(text, "mc")).toEqual(INVALID);
  });

  test("ends too early, wherever that is", () => {
    for (let length = 0; length < token.length; length++) {
      expect(parseMacaroonToken(token.slice(0, length), "mc")).toEqual(INVALID);
    }
  });

  test.each([...vectors.create, ...vectors.third_party_v2])("is a macaroon with other content: $name", ({ v2 }) => {
    expect(parseMacaroonToken(`mc_v1_${v2}`, "mc")).toEqual(INVALID);
  });

  test.each([
    ["are of another shape", JSON.stringify({ ...SAMPLE_JSON, scp: "read" })],
    ["are a list", JSON.stringify([SAMPLE_JSON])],
    ["are no JSON", "claims"],
    ["are not there", ""],
    ["have a reserved name", JSON.stringify({ ...SAMPLE_JSON, scope: "all" })],
    ["name a tenant that is no UUID", JSON.stringify({ ...SAMPLE_JSON, nid: "../.." })],
  ])("has claims that %s", (_, identifier) => {
    const made = createMacaroon(ROOT_KEY, Buffer.from(identifier));
    expect(parseMacaroonToken(formatMacaroonToken(made, "mc"), "mc")).toEqual(INVALID);
  });

  test("has claims that are not UTF-8", () => {
    const identifier = Buffer.from(JSON.stringify({ ...SAMPLE_JSON, act: "svc-\u00ff" }), "latin1");
    const made = createMacaroon(ROOT_KEY, identifier);
    expect(parseMacaroonToken(formatMacaroonToken(made, "mc"), "mc")).toEqual(INVALID);
  });

  test("makes no reader throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (text, bytes) => {
        expect(parseMacaroonToken(`mc_v1_${text}`, "mc")).toEqual(INVALID);
        const encoded = Buffer.concat([Buffer.of(2), bytes]).toString("base64url");
        expect(parseMacaroonToken(`mc_v1_${encoded}`, "mc")).toEqual(INVALID);
      }),
      { seed: 1 },
    );
  });
});

test("of members with the same name the last one counts", () => {
  const identifier = JSON.stringify(SAMPLE_JSON).replace("{", '{"scp": ["admin"], ');
  const made = createMacaroon(ROOT_KEY, Buffer.from(identifier));
  expect(parseMacaroonToken(formatMacaroonToken(made, "mc"), "mc")).toHaveProperty("claims", sampleClaims);
});

describe("the root key of macaroons", () => {
  test("is made of the tenant's 16 bytes, the root key's id as text, and the seed", () => {
    const message = Buffer.from(
      `01890a5dac96774bbcceb302099a8057${Buffer.from(KEY_ID).toString("hex")}${"02".repeat(32)}`,
      "hex",
    );
    const rootKey = macaroonRootKey(HKDF_KEY, TENANT, KEY_ID, SEED);
    expect(Buffer.from(rootKey)).toEqual(createHmac("sha256", HKDF_KEY).update(message).digest());
    expect(Buffer.from(rootKey).toString("hex")).toBe(
      "20f9760de79630e35d0cfc404b5c8a67763d8272196fb41fa98b45eddec05a12",
    );
  });

  test("differs when anything does", () => {
    const hexId = "0123456789abcdef".repeat(4);
    const keys = [
      macaroonRootKey(HKDF_KEY, TENANT, KEY_ID, SEED),
      macaroonRootKey(SEED, TENANT, KEY_ID, SEED),
      macaroonRootKey(HKDF_KEY, KEY_ID, KEY_ID, SEED),
      macaroonRootKey(HKDF_KEY, TENANT, TENANT, SEED),
      macaroonRootKey(HKDF_KEY, TENANT, hexId, SEED),
      macaroonRootKey(HKDF_KEY, TENANT, KEY_ID, HKDF_KEY),
      macaroonRootKey(HKDF_KEY, TENANT, "", SEED),
      macaroonRootKey(HKDF_KEY, TENANT, "\u0002", SEED),
    ];
    expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(keys.length);
    expect(keys.every((key) => key.length === 32)).toBe(true);
  });

  test.each(["", "default", TENANT.slice(1)])("needs a tenant that is a UUID: %j", (tenantId) => {
    expect(() => macaroonRootKey(HKDF_KEY, tenantId, KEY_ID, SEED)).toThrow(new RangeError("a tenant id is a UUID"));
  });

  test.each([0, 31, 33])("needs a seed of 32 bytes: %d", (length) => {
    expect(() => macaroonRootKey(HKDF_KEY, TENANT, KEY_ID, Buffer.alloc(length))).toThrow(
      new RangeError("a derive seed has 32 bytes"),
    );
  });
});
