import { sign } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type DerivedClaims, dateFromUnixSeconds } from "../../src/credentials/derived-claims.js";
import { signJwt } from "../../src/credentials/jwt.js";
import {
  createClaimsMacaroon,
  formatMacaroonToken,
  macaroonRootKey,
  parseMacaroonToken,
} from "../../src/credentials/macaroon-token.js";
import { createCheckedTokens } from "../../src/domain/checked-tokens.js";
import type { DomainContext } from "../../src/domain/context.js";
import { deleteImportedKey } from "../../src/domain/delete-key.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import type { Verification } from "../../src/domain/verification.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import type { KeyRecord } from "../../src/store/key-store.js";
import { countCalls } from "./count-calls.js";
import {
  addCaveatTo,
  createFixture,
  createSecrets,
  derive,
  type Fixture,
  importRaw,
  issue,
  rotate,
  tenantId,
  verdict,
} from "./fixture.js";

const MINUTE_MS = 60_000;
const OTHER_TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";
const ALGORITHMS = ["jwt", "macaroon"] as const;
const SIGNATURE_INVALID = { valid: false, failure: "signature_invalid" };
const NOT_FOUND = { valid: false, failure: "not_found" };

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function verify(credential: string, context: DomainContext = domain, clientAddress?: string): Promise<Verification> {
  return verifyKey(context, { tenantId, credential, clientAddress });
}

function withTokens(tokens: Partial<DomainContext["tokens"]>): DomainContext {
  return { ...domain, tokens: { ...domain.tokens, ...tokens } };
}

/** A macaroon of a key that says what the test likes, under a good signature. */
function forgeMacaroon(record: KeyRecord, claims: DerivedClaims, hkdfKey = domain.secrets.macaroons().current): string {
  const rootKey = macaroonRootKey(hkdfKey, claims.tenantId, claims.rootKeyId, record.deriveSeed);
  return formatMacaroonToken(createClaimsMacaroon(claims, rootKey), domain.tokens.macaroonPrefix);
}

describe.each(ALGORITHMS)("a derived token (%s)", (algorithm) => {
  test("is good with what it says, and shows the key at its root", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read", "write"] });
    const { token, claims } = await derive(domain, { credential: secret, algorithm, scopes: ["read"] });
    expect(await verify(token)).toEqual({ valid: true, record, token: claims });
  });

  test("is good until the very millisecond of its expiry", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm, ttlMs: MINUTE_MS });
    domain.advance(MINUTE_MS - 1);
    expect(await verdict(domain, token)).toBe("active");
    domain.advance(1);
    expect(await verify(token)).toEqual({ valid: false, failure: "expired", key: { record, status: "active" } });
  });

  test("is good where the clock is five seconds behind, and not yet further back", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    domain.advance(-5_000);
    expect(await verdict(domain, token)).toBe("active");
    domain.advance(-1);
    expect(await verify(token)).toEqual({ valid: false, failure: "not_yet_valid", key: { record, status: "active" } });
  });

  test("ends with its key: revoked, expired, or past the grace period", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    const revoked = await domain.store.read(record);
    expect(await verify(token)).toEqual({
      valid: false,
      failure: "revoked",
      key: { record: revoked, status: "revoked" },
    });

    const short = await issue(domain, { ttlMs: MINUTE_MS });
    const { token: shortToken } = await derive(domain, { credential: short.secret, algorithm });
    const rotated = await issue(domain);
    const { token: rotatedToken } = await derive(domain, { credential: rotated.secret, algorithm });
    await rotate(domain, { ...rotated.record, overrides: {}, gracePeriodMs: MINUTE_MS });
    domain.advance(MINUTE_MS - 1);
    expect([await verdict(domain, shortToken), await verdict(domain, rotatedToken)]).toEqual(["active", "active"]);
    domain.advance(1);
    expect(await verify(shortToken)).toEqual({
      valid: false,
      failure: "expired",
      key: { record: short.record, status: "expired" },
    });
    expect(await verdict(domain, rotatedToken)).toBe("revoked");
  });

  test("is held to the networks that it carries", async () => {
    const { record, secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const { token } = await derive(domain, { credential: secret, algorithm, clientAddress: "10.0.0.1" });
    await updateKey(domain, { ...record, attributes: { allowedCidrs: undefined }, path: "" });
    const relaxed = await domain.store.read(record);
    expect(await verdict(domain, token, "10.9.9.9")).toBe("active");
    for (const address of ["192.0.2.1", undefined]) {
      expect(await verify(token, domain, address)).toEqual({
        valid: false,
        failure: "ip_not_allowed",
        key: { record: relaxed, status: "active" },
      });
    }
  });

  test("with an empty list of networks is good from nowhere", async () => {
    const { record, secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret });
    const nowhere = { ...claims, allowedCidrs: [] };
    const token =
      algorithm === "jwt" ? await signJwt(nowhere, domain.secrets.jwt().signing) : forgeMacaroon(record, nowhere);
    expect(await verdict(domain, token, "10.0.0.1")).toBe("ip_not_allowed");
    expect(await verdict(domain, token)).toBe("ip_not_allowed");
  });

  test("of another issuer or audience is refused as one with a wrong signature", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    const forAudience = withTokens({ audience: "billing" });
    const { token: tokenForAudience } = await derive(forAudience, { credential: secret, algorithm });
    expect(await verdict(forAudience, tokenForAudience)).toBe("active");

    const strangers: [token: string, context: DomainContext][] = [
      [token, withTokens({ issuer: "other" })],
      [token, forAudience],
      [tokenForAudience, domain],
      [tokenForAudience, withTokens({ audience: "shipping" })],
    ];
    for (const [stranger, { tokens }] of strangers) {
      // Another service: nothing is remembered there.
      const fresh = { ...domain, tokens, checkedTokens: createCheckedTokens() };
      expect(await verify(stranger, fresh)).toEqual(SIGNATURE_INVALID);
    }
  });

  test("of another deployment is refused, though its key is known here", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive({ ...domain, secrets: createSecrets() }, { credential: secret, algorithm });
    expect(await verify(token)).toEqual(SIGNATURE_INVALID);
  });

  test("of which a character is changed is refused, whether the token was seen or not", async () => {
    const { secret } = await issue(domain, { scopes: ["read"] });
    const { token } = await derive(domain, { credential: secret, algorithm });
    const start = algorithm === "jwt" ? token.indexOf(".") + 1 : "mc_v1_".length;
    const tampered = Array.from(token, (character, index) =>
      index < start || character === "." ? [] : [replaceAt(token, index)],
    ).flat();
    for (const seen of [false, true]) {
      if (seen) expect(await verdict(domain, token)).toBe("active");
      for (const other of tampered) {
        expect(["signature_invalid", "invalid_format"]).toContain(await verdict(domain, other));
      }
    }
  });

  test("of a key that is imported once more is not that key's", async () => {
    const record = await importRaw(domain, { rawKey: "sk_live_1" });
    const { token } = await derive(domain, { credential: "sk_live_1", algorithm });
    expect(await verdict(domain, token)).toBe("active");
    const refusal = algorithm === "jwt" ? NOT_FOUND : SIGNATURE_INVALID;
    await deleteImportedKey(domain, record);
    expect(await verify(token)).toEqual(refusal);

    domain.advance(1); // the same second
    await importRaw(domain, { rawKey: "sk_live_1" });
    expect(await verify(token)).toEqual(refusal);
    const { token: own } = await derive(domain, { credential: "sk_live_1", algorithm });
    expect(await verdict(domain, own)).toBe("active");
  });

  test("is good in the second in which its key was made", async () => {
    domain.advance(999);
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    expect(await verdict(domain, token)).toBe("active");
  });
});

describe("a JWT", () => {
  test("of another tenant is not found", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    const elsewhere = { tenantId: OTHER_TENANT, credential: token, clientAddress: undefined };
    for (const checkParent of [true, false]) {
      expect(await verifyKey(withTokens({ checkParent }), elsewhere)).toEqual(NOT_FOUND);
    }
  });

  test.each([
    ["that names no algorithm", { alg: "none" }],
    ["of another algorithm", { alg: "RS256" }],
    ["of an unknown key", { kid: "x" }],
    ["of an inherited key", { kid: "constructor" }],
    ["without a key", { kid: undefined }],
    ["of another type", { typ: "at+jwt" }],
    ["with one more member", { crit: [] }],
  ])("%s is refused, though its signature holds", async (_, change) => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    const header = { kid: "test", typ: "JWT", alg: "EdDSA" };
    expect(await verdict(domain, signAgain(token, header))).toBe("active");
    expect(await verify(signAgain(token, { ...header, ...change }))).toEqual(SIGNATURE_INVALID);
  });

  test("without a signature is refused", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    const [header = "", body = ""] = token.split(".");
    for (const unsigned of [header, encode({ alg: "none", typ: "JWT", kid: "test" })]) {
      expect(await verify(`${unsigned}.${body}.`)).toEqual(SIGNATURE_INVALID);
    }
  });

  test("that has lost every scope is told apart from one whose key is revoked", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read"] });
    const { token } = await derive(domain, { credential: secret });
    await updateKey(domain, { ...record, attributes: { scopes: ["write"] }, path: "" });
    const changed = await domain.store.read(record);
    expect(await verify(token)).toEqual({
      valid: false,
      failure: "scopes_withdrawn",
      key: { record: changed, status: "active" },
    });
  });
});

describe("a macaroon", () => {
  test("of an unknown key is answered as one with a wrong signature, and as one of another tenant", async () => {
    const { record, secret } = await issue(domain);
    const { token, claims } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const wrongSignature = forgeMacaroon(record, claims, Buffer.alloc(32, 1));
    const unknownKey = forgeMacaroon(record, { ...claims, rootKeyId: OTHER_TENANT });
    expect(await verify(wrongSignature)).toEqual(SIGNATURE_INVALID);
    expect(await verify(unknownKey)).toEqual(SIGNATURE_INVALID);
    const elsewhere = { tenantId: OTHER_TENANT, credential: token, clientAddress: undefined };
    expect(await verifyKey(domain, elsewhere)).toEqual(SIGNATURE_INVALID);
  });

  test("with the seed of a key that does not exist is refused", async () => {
    const { record, secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret });
    const unknown = { ...claims, rootKeyId: OTHER_TENANT };
    const token = forgeMacaroon({ ...record, deriveSeed: new Uint8Array(32) }, unknown);
    expect(await verify(token)).toEqual(SIGNATURE_INVALID);
  });

  test("that says another tenant than that of its key is not found", async () => {
    const { record, secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret });
    expect(await verify(forgeMacaroon(record, { ...claims, tenantId: OTHER_TENANT }))).toEqual(NOT_FOUND);
  });

  test.each([
    ["of nothing", "mc_v1_"],
    ["of other characters", "mc_v1_!"],
    ["of other bytes", `mc_v1_${Buffer.alloc(64, 2).toString("base64url")}`],
  ])("%s is of no valid format", async (_, credential) => {
    expect(await verify(credential)).toEqual({ valid: false, failure: "invalid_format" });
  });

  test("with more than 64 caveats is of no valid format", async () => {
    const { secret } = await issue(domain);
    let { token } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    for (let caveat = 0; caveat < 64; caveat++) token = addCaveatTo(token, "exp <= 99999999999");
    expect(await verdict(domain, token)).toBe("active");
    expect(await verify(addCaveatTo(token, "exp <= 99999999999"))).toEqual({
      valid: false,
      failure: "invalid_format",
    });
  });

  test("of another prefix is no token here", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(withTokens({ macaroonPrefix: "other" }), {
      credential: secret,
      algorithm: "macaroon",
    });
    expect(token).toMatch(/^other_v1_/);
    expect(await verify(token)).toEqual(NOT_FOUND);
  });

  test("is narrowed by its caveats, and says so", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read", "write"] });
    const { token, claims } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const endSeconds = domain.clock().getTime() / 1_000 + 60;
    const narrowed = ['scp subset ["write","admin"]', `exp <= ${endSeconds}`, 'acl subset ["10.0.0.0/8"]'].reduce(
      addCaveatTo,
      token,
    );
    expect(await verify(narrowed, domain, "10.1.1.1")).toEqual({
      valid: true,
      record,
      token: {
        ...claims,
        scopes: ["write"],
        expireTime: dateFromUnixSeconds(endSeconds),
        allowedCidrs: ["10.0.0.0/8"],
      },
    });
    expect(await verdict(domain, narrowed, "192.0.2.1")).toBe("ip_not_allowed");
    domain.advance(MINUTE_MS);
    expect(await verdict(domain, narrowed, "10.1.1.1")).toBe("expired");
    expect(await verdict(domain, token)).toBe("active");
  });

  test.each(["role = admin", "scp subset []", 'scp subset ["admin"]', "acl subset []", "exp <= tomorrow"])(
    "with the caveat %s permits nothing",
    async (caveat) => {
      const { secret } = await issue(domain, { scopes: ["read"] });
      const { token } = await derive(domain, { credential: secret, algorithm: "macaroon" });
      expect(await verify(addCaveatTo(token, caveat))).toEqual({ valid: false, failure: "permits_nothing" });
    },
  );

  test("names its issuer as its location, which is not signed: with none it is as good, with another it is refused", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const parsed = parseMacaroonToken(token, "mc");
    if ("error" in parsed) throw new Error(parsed.error);
    const { location, ...rest } = parsed.macaroon;
    expect(location).toBe("latchkey");
    expect(await verdict(domain, formatMacaroonToken(rest, "mc"))).toBe("active");
    const elsewhere = formatMacaroonToken({ ...rest, location: "elsewhere" }, "mc");
    expect(await verify(elsewhere)).toEqual(SIGNATURE_INVALID);
  });

  test("with a wrong signature is told nothing of its caveats", async () => {
    const { record, secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret });
    const forged = forgeMacaroon(record, claims, Buffer.alloc(32, 1));
    expect(await verify(addCaveatTo(forged, "role = admin"))).toEqual(SIGNATURE_INVALID);
  });

  test("made with a secret that is retired is good as long as that is accepted", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const current = Buffer.alloc(32, 1);
    const withMacaroonKeys = (all: readonly Uint8Array[]): DomainContext => {
      const macaroons = { current, all };
      return { ...domain, secrets: { ...domain.secrets, macaroons: () => macaroons } };
    };
    const rotated = withMacaroonKeys([current, domain.secrets.macaroons().current]);
    expect(await verdict(rotated, token)).toBe("active");
    const { token: later } = await derive(rotated, { credential: secret, algorithm: "macaroon" });
    expect(await verdict(rotated, later)).toBe("active");
    const dropped = withMacaroonKeys([current]);
    expect(await verdict(dropped, token)).toBe("signature_invalid");
    expect(await verdict(dropped, later)).toBe("active");
  });
});

describe("where tokens.check_parent is off", () => {
  test("a JWT is judged without the store: its own times and networks count", async () => {
    const { record, secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const { token, claims } = await derive(domain, { credential: secret, clientAddress: "10.0.0.1" });
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    expect(await verdict(domain, token, "10.0.0.1")).toBe("revoked");

    const { store, count } = countCalls(domain.store);
    const stateless = { ...withTokens({ checkParent: false }), store };
    expect(await verify(token, stateless, "10.0.0.1")).toEqual({ valid: true, token: claims });
    expect(await verify(token, stateless, "192.0.2.1")).toEqual({ valid: false, failure: "ip_not_allowed" });
    domain.advance(-6_000);
    expect(await verify(token, stateless, "10.0.0.1")).toEqual({ valid: false, failure: "not_yet_valid" });
    domain.advance(16 * MINUTE_MS);
    expect(await verify(token, stateless, "10.0.0.1")).toEqual({ valid: false, failure: "expired" });
    expect(count("read")).toBe(0);
  });

  test("a macaroon still needs the record of its key, for its signature and nothing else", async () => {
    const record = await importRaw(domain, { rawKey: "sk_live_1", scopes: ["read"] });
    const { token, claims } = await derive(domain, { credential: "sk_live_1", algorithm: "macaroon" });
    const stateless = withTokens({ checkParent: false });
    await updateKey(domain, {
      ...record,
      kind: "imported",
      attributes: { scopes: [], allowedCidrs: ["10.0.0.0/8"] },
      path: "",
    });
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    expect(await verify(token, stateless)).toEqual({ valid: true, token: claims });
    expect(await verdict(domain, token)).toBe("revoked");

    await deleteImportedKey(domain, record);
    expect(await verify(token, stateless)).toEqual(SIGNATURE_INVALID);
  });
});

function replaceAt(text: string, index: number): string {
  return `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
}

function encode(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString("base64url");
}

/** The token's claims under another header, signed with the same key. */
function signAgain(token: string, header: object): string {
  const signed = `${encode(header)}.${token.split(".")[1]}`;
  const signature = sign(null, Buffer.from(signed), domain.secrets.jwt().signing.privateKey);
  return `${signed}.${signature.toString("base64url")}`;
}
