import fc from "fast-check";
import { type DerivedClaims, RESERVED_CLAIMS } from "../../src/credentials/derived-claims.js";
import type { JsonObject } from "../../src/credentials/json.js";

export const sampleClaims: DerivedClaims = {
  issuer: "latchkey",
  rootKeyId: "01890a5d-ac96-774b-bcce-b302099a8057",
  tokenId: "01890a5d-ac97-7000-8000-000000000001",
  tenantId: "00000000-0000-0000-0000-000000000000",
  actorId: "svc-billing",
  scopes: ["read", "write"],
  issueTime: new Date(1_700_000_000_000),
  expireTime: new Date(1_700_000_900_000),
  custom: {},
};

/** `sampleClaims` as they are written. */
export const SAMPLE_JSON: JsonObject = {
  iss: "latchkey",
  sub: "01890a5d-ac96-774b-bcce-b302099a8057",
  iat: 1_700_000_000,
  nbf: 1_700_000_000,
  exp: 1_700_000_900,
  jti: "01890a5d-ac97-7000-8000-000000000001",
  act: "svc-billing",
  scp: ["read", "write"],
  nid: "00000000-0000-0000-0000-000000000000",
};

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const wholeSecond = fc.integer({ min: 0, max: 253_402_300_799 }).map((seconds) => new Date(seconds * 1000));
const importedKeyId = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
const customName = fc.string({ maxLength: 8 }).filter((name) => !RESERVED_CLAIMS.has(name));

/** Any claims that a token can hold. */
export const anyClaims: fc.Arbitrary<DerivedClaims> = fc.record(
  {
    issuer: text,
    rootKeyId: fc.oneof(fc.uuid(), importedKeyId),
    tokenId: text,
    tenantId: fc.uuid(),
    actorId: text,
    scopes: fc.array(text, { maxLength: 5 }),
    allowedCidrs: fc.array(text, { maxLength: 3 }),
    audience: text,
    issueTime: wholeSecond,
    expireTime: wholeSecond,
    // JSON says no negative zero: what it says of the values is what comes back.
    custom: fc.dictionary(customName, fc.jsonValue()).map((custom) => JSON.parse(JSON.stringify(custom)) as JsonObject),
  },
  {
    requiredKeys: [
      ...(["issuer", "rootKeyId", "tokenId", "tenantId", "actorId", "scopes"] as const),
      ...(["issueTime", "expireTime", "custom"] as const),
    ],
  },
);
