import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Caveat, parseCaveat } from "../../src/credentials/caveat.js";
import type { DerivedClaims } from "../../src/credentials/derived-claims.js";
import { addCaveat, verifySignature } from "../../src/credentials/macaroon.js";
import { createClaimsMacaroon, formatMacaroonToken, parseMacaroonToken } from "../../src/credentials/macaroon-token.js";
import { narrow } from "../../src/credentials/narrow.js";
import { intersectCidrs } from "../../src/domain/intersect-cidrs.js";
import { isAddressAllowed } from "../../src/domain/ip-allowlist.js";
import { sampleClaims } from "./sample-claims.js";

const ROOT_KEY = Buffer.alloc(32, 7);

function narrowBy(claims: DerivedClaims, ...caveats: string[]): DerivedClaims | undefined {
  return narrow(
    claims,
    caveats.map((text) => parseCaveat(Buffer.from(text))),
    intersectCidrs,
  );
}

describe("caveats", () => {
  test("that are not there change nothing", () => {
    expect(narrowBy(sampleClaims)).toEqual(sampleClaims);
  });

  test("bring the expiry forward, never back", () => {
    const earlier = new Date(1_700_000_100_000);
    expect(narrowBy(sampleClaims, "exp <= 1700000100")).toEqual({ ...sampleClaims, expireTime: earlier });
    expect(narrowBy(sampleClaims, "exp <= 1700000100", "exp <= 1700000200")).toEqual({
      ...sampleClaims,
      expireTime: earlier,
    });
    expect(narrowBy(sampleClaims, "exp <= 1700009999")).toEqual(sampleClaims);
    expect(narrowBy(sampleClaims, "exp <= 0")).toEqual({ ...sampleClaims, expireTime: new Date(0) });
  });

  test("take scopes away and add none, in the order of the claims", () => {
    const claims = { ...sampleClaims, scopes: ["a", "b", "c"] };
    expect(narrowBy(claims, 'scp subset ["c","a","admin"]')).toEqual({ ...claims, scopes: ["a", "c"] });
    expect(narrowBy(claims, 'scp subset ["c","a"]', 'scp subset ["c","b"]')).toEqual({ ...claims, scopes: ["c"] });
    expect(narrowBy(claims, 'scp subset ["a","b","c","admin"]')).toEqual(claims);
  });

  test.each([
    ["other scopes", ["a"], ['scp subset ["A"]']],
    ["no scopes", ["a"], ["scp subset []"]],
    ["scopes that exclude each other", ["a", "b"], ['scp subset ["a"]', 'scp subset ["b"]']],
    ["scopes of a token that has none", [], ['scp subset ["a"]']],
  ])("that leave no scope leave nothing: %s", (_, scopes, caveats) => {
    expect(narrowBy({ ...sampleClaims, scopes }, ...caveats)).toBeUndefined();
  });

  test("leave a token without scopes as it is when they are about something else", () => {
    const claims = { ...sampleClaims, scopes: [] };
    expect(narrowBy(claims, "exp <= 1700009999")).toEqual(claims);
  });

  test("restrict addresses, also where there was no restriction", () => {
    expect(narrowBy(sampleClaims, 'acl subset ["10.1.2.3/8"]')).toEqual({
      ...sampleClaims,
      allowedCidrs: ["10.0.0.0/8"],
    });
    const claims = { ...sampleClaims, allowedCidrs: ["10.0.0.0/8", "192.0.2.0/24"] };
    expect(narrowBy(claims, 'acl subset ["10.1.0.0/16","198.51.100.0/24"]')).toEqual({
      ...claims,
      allowedCidrs: ["10.1.0.0/16"],
    });
    expect(narrowBy(claims, 'acl subset ["0.0.0.0/0"]', 'acl subset ["192.0.2.128/25"]')).toEqual({
      ...claims,
      allowedCidrs: ["192.0.2.128/25"],
    });
  });

  test.each([
    ["no network", undefined, ["acl subset []"]],
    ["a malformed network", undefined, ['acl subset ["10.0.0.1"]']],
    ["another network", ["10.0.0.0/8"], ['acl subset ["192.0.2.0/24"]']],
    ["networks that exclude each other", undefined, ['acl subset ["10.0.0.0/8"]', 'acl subset ["192.0.2.0/24"]']],
    ["a network of a token that has none", [], ['acl subset ["10.0.0.0/8"]']],
  ])("that leave no network leave nothing: %s", (_, allowedCidrs, caveats) => {
    const claims = allowedCidrs ? { ...sampleClaims, allowedCidrs } : sampleClaims;
    expect(narrowBy(claims, ...caveats)).toBeUndefined();
  });

  test("that are unknown leave nothing, wherever they stand", () => {
    expect(narrowBy(sampleClaims, "account = 3735928559")).toBeUndefined();
    expect(narrowBy(sampleClaims, "account = 3735928559", "exp <= 1700000100")).toBeUndefined();
    expect(narrowBy(sampleClaims, "exp <= 1700000100", "account = 3735928559")).toBeUndefined();
  });
});

const cidr = fc.oneof(
  fc.tuple(fc.constantFrom("10.0.0.0", "10.1.0.0", "10.1.2.3", "0.0.0.0"), fc.constantFrom(0, 8, 16, 32)),
  fc.tuple(fc.constantFrom("::", "::ffff:10.1.0.0", "2001:db8::"), fc.constantFrom(0, 32, 104, 112, 128)),
);
const cidrs = fc.array(
  cidr.map(([address, length]) => `${address}/${length}`),
  { maxLength: 3 },
);
const scopes = fc.subarray(["a", "b", "c", "d"]);
const caveatText = fc.oneof(
  fc.integer({ min: 1_699_999_990, max: 1_700_001_000 }).map((seconds) => `exp <= ${seconds}`),
  scopes.map((list) => `scp subset ${JSON.stringify(list)}`),
  cidrs.map((list) => `acl subset ${JSON.stringify(list)}`),
  fc.constantFrom("role = admin", 'scp superset ["admin"]', "acl subset *", "exp <= never"),
);
const anyClaims = fc.record({ scopes, allowedCidrs: fc.option(cidrs, { nil: undefined }) }).map(
  ({ allowedCidrs, ...rest }): DerivedClaims => ({
    ...sampleClaims,
    ...rest,
    ...(allowedCidrs && { allowedCidrs }),
  }),
);
const ADDRESSES = ["10.0.0.1", "10.1.2.3", "10.1.9.9", "192.0.2.1", "::1", "2001:db8::1", "::ffff:10.1.2.3", undefined];

/** The addresses that the claims are good for: an empty list is none, unlike that of a key. */
function addressesOf({ allowedCidrs }: DerivedClaims): readonly (string | undefined)[] {
  return ADDRESSES.filter((address) => allowedCidrs?.length !== 0 && isAddressAllowed(allowedCidrs, address));
}

test("no caveats that a holder can add make a token good for more", () => {
  const outcomes = { narrowed: 0, nothing: 0 };
  fc.assert(
    fc.property(anyClaims, fc.array(caveatText, { maxLength: 5 }), (claims, caveats) => {
      let token = formatMacaroonToken(createClaimsMacaroon(claims, ROOT_KEY), "mc");
      let before: DerivedClaims | undefined = claims;
      for (const text of ["exp <= 1700000900", ...caveats]) {
        const parsed = parseMacaroonToken(token, "mc");
        if ("error" in parsed) throw new Error(parsed.error);
        token = formatMacaroonToken(addCaveat(parsed.macaroon, Buffer.from(text)), "mc");

        const after = narrowToken(token);
        if (before === undefined) expect(after).toBeUndefined();
        if (after === undefined || before === undefined) {
          outcomes.nothing++;
        } else {
          outcomes.narrowed++;
          const { expireTime, scopes: narrowedScopes, allowedCidrs, ...rest } = after;
          const { expireTime: _, scopes: __, allowedCidrs: ___, ...restBefore } = before;
          expect(rest).toEqual(restBefore);
          expect(expireTime.getTime()).toBeLessThanOrEqual(before.expireTime.getTime());
          expect(before.scopes).toEqual(expect.arrayContaining([...narrowedScopes]));
          expect(addressesOf(before)).toEqual(expect.arrayContaining([...addressesOf(after)]));
          if (before.allowedCidrs !== undefined) expect(allowedCidrs).toBeDefined();
        }
        before = after;
      }
    }),
    { seed: 1, numRuns: 500 },
  );
  expect(outcomes.narrowed).toBeGreaterThan(500);
  expect(outcomes.nothing).toBeGreaterThan(100);
});

function narrowToken(token: string): DerivedClaims | undefined {
  const parsed = parseMacaroonToken(token, "mc");
  if ("error" in parsed) throw new Error(parsed.error);
  expect(verifySignature(parsed.macaroon, ROOT_KEY)).toBe(true);
  return narrow(parsed.claims, parsed.caveats, intersectCidrs);
}

test("the order of caveats does not matter", () => {
  fc.assert(
    fc.property(anyClaims, fc.array(caveatText, { maxLength: 5 }), (claims, texts) => {
      const caveats: Caveat[] = texts.map((text) => parseCaveat(Buffer.from(text)));
      expect(narrow(claims, [...caveats].reverse(), intersectCidrs)).toEqual(narrow(claims, caveats, intersectCidrs));
    }),
    { seed: 1, numRuns: 500 },
  );
});
