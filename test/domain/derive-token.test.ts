import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { RESERVED_CLAIMS } from "../../src/credentials/derived-claims.js";
import { parseUuid } from "../../src/credentials/uuid.js";
import type { DomainContext } from "../../src/domain/context.js";
import { deleteImportedKey } from "../../src/domain/delete-key.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import type { JsonObject } from "../../src/store/key-store.js";
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
const HOUR_MS = 3_600_000;
const DEFAULT_TTL_MS = 900_000;
const MAX_TTL_MS = 86_400_000;

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function withTokens(tokens: Partial<DomainContext["tokens"]>): DomainContext {
  return { ...domain, tokens: { ...domain.tokens, ...tokens } };
}

const inMs = (ms: number) => new Date(domain.clock().getTime() + ms);

describe.each(["jwt", "macaroon"] as const)("a token of a key (%s)", (algorithm) => {
  test("says what its key is, from now for as long as the configuration says", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read", "write"], allowedCidrs: ["10.0.0.0/8"] });
    domain.advance(1_700);
    const { token, claims, claimsJson } = await derive(withTokens({ audience: "billing" }), {
      credential: secret,
      algorithm,
      clientAddress: "10.0.0.1",
      customClaims: { team: "a" },
    });
    const issueSeconds = Math.floor(domain.clock().getTime() / 1_000);
    expect(claims).toEqual({
      issuer: "latchkey",
      audience: "billing",
      rootKeyId: record.keyId,
      tokenId: expect.any(String),
      tenantId,
      actorId: "me",
      scopes: ["read", "write"],
      allowedCidrs: ["10.0.0.0/8"],
      issueTime: new Date(issueSeconds * 1_000),
      expireTime: new Date(issueSeconds * 1_000 + DEFAULT_TTL_MS),
      custom: { team: "a" },
    });
    expect(parseUuid(claims.tokenId)).toBe(claims.tokenId);
    expect(claimsJson).toEqual({
      iss: "latchkey",
      aud: "billing",
      sub: record.keyId,
      iat: issueSeconds,
      nbf: issueSeconds,
      exp: issueSeconds + DEFAULT_TTL_MS / 1_000,
      jti: claims.tokenId,
      act: "me",
      scp: ["read", "write"],
      nid: tenantId,
      acl: ["10.0.0.0/8"],
      team: "a",
    });
    expect(token).toMatch(algorithm === "jwt" ? /^[\w-]+\.[\w-]+\.[\w-]+$/ : /^mc_v1_[\w-]+$/);
    expect(await verdict(withTokens({ audience: "billing" }), token, "10.0.0.1")).toBe("active");
  });

  test("of an imported key is good, too", async () => {
    const { keyId } = await importRaw(domain, { rawKey: "sk_live_1" });
    const { token, claims } = await derive(domain, { credential: "sk_live_1", algorithm });
    expect(claims.rootKeyId).toBe(keyId);
    expect(await verdict(domain, token)).toBe("active");
  });

  test("has an id of its own", async () => {
    const { secret } = await issue(domain);
    const one = await derive(domain, { credential: secret, algorithm });
    const other = await derive(domain, { credential: secret, algorithm });
    expect(one.claims.tokenId).not.toBe(other.claims.tokenId);
  });

  test("of a key whose list of networks is empty has no restriction either", async () => {
    const { secret } = await issue(domain, { allowedCidrs: [] });
    const { token, claims } = await derive(domain, { credential: secret, algorithm });
    expect(claims).not.toHaveProperty("allowedCidrs");
    expect(await verdict(domain, token, "192.0.2.1")).toBe("active");
  });

  test("of a key that was made where the clock is ahead begins with its key", async () => {
    domain.advance(4_000);
    const { record, secret } = await issue(domain);
    domain.advance(-4_000);
    const { token, claims } = await derive(domain, { credential: secret, algorithm });
    expect(claims.issueTime).toEqual(record.createTime);
    expect(await verdict(domain, token)).toBe("active");
  });
});

test("a token of a token that was made where the clock is ahead begins with that token", async () => {
  const { secret } = await issue(domain);
  domain.advance(4_000);
  const { token: parent, claims } = await derive(domain, { credential: secret });
  domain.advance(-3_000);
  const child = await derive(domain, { credential: parent });
  expect(child.claims.issueTime).toEqual(claims.issueTime);
  expect(await verdict(domain, child.token)).toBe("active");
  domain.advance(-2_001);
  expect([await verdict(domain, parent), await verdict(domain, child.token)]).toEqual(Array(2).fill("not_yet_valid"));
});

describe("a parent that does not verify", () => {
  test.each<[string, (secret: string) => Promise<string> | string, object]>([
    [
      "since it is unknown",
      () => "nothing known",
      { reason: "PARENT_KEY_INVALID", message: "the credential is not valid" },
    ],
    [
      "since it is mistyped",
      (secret) => secret.slice(0, -1),
      { reason: "PARENT_KEY_INVALID", message: "the credential is not valid" },
    ],
    [
      "since its caveats exclude each other",
      async (secret) => addCaveatTo((await macaroonOf(secret)).token, "role = admin"),
      { reason: "PARENT_KEY_INVALID", message: "the caveats of the credential permit nothing" },
    ],
    [
      "since its signature is of another deployment",
      async (secret) => (await derive({ ...domain, secrets: createSecrets() }, { credential: secret })).token,
      { reason: "SIGNATURE_INVALID", message: "the signature of the credential is not valid" },
    ],
    ["since there is none", () => "", { reason: "CREDENTIAL_REQUIRED", message: "credential: is required" }],
    [
      "since it is too long for a credential",
      () => "x".repeat(16_385),
      { reason: "INVALID_ARGUMENT", message: "credential: must be at most 16384 bytes" },
    ],
  ])("%s is refused", async (_, credentialOf, refusal) => {
    const { secret } = await issue(domain);
    await expect(derive(domain, { credential: await credentialOf(secret) })).rejects.toMatchObject(refusal);
  });

  test("since its key has lost its scopes is refused", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read"] });
    const { token } = await derive(domain, { credential: secret });
    await updateKey(domain, { ...record, attributes: { scopes: ["write"] }, path: "" });
    await expect(derive(domain, { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the key has lost every scope of the credential",
    });
  });

  test("since its key is revoked is refused, and so is a token of it", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    for (const credential of [secret, token]) {
      await expect(derive(domain, { credential })).rejects.toMatchObject({
        reason: "PARENT_KEY_INVALID",
        message: "the key is revoked",
      });
    }
  });

  test("since it is expired is refused", async () => {
    const { secret } = await issue(domain, { ttlMs: HOUR_MS });
    const { token } = await derive(domain, { credential: secret, ttlMs: MINUTE_MS });
    const expired = { reason: "PARENT_KEY_INVALID", message: "the credential is expired" };
    domain.advance(MINUTE_MS);
    await expect(derive(domain, { credential: token })).rejects.toMatchObject(expired);
    domain.advance(HOUR_MS);
    await expect(derive(domain, { credential: secret })).rejects.toMatchObject(expired);
  });

  test("since it is not valid yet is refused", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    domain.advance(-MINUTE_MS);
    await expect(derive(domain, { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the credential is not valid yet",
    });
  });

  test("since it may not be used from there is refused", async () => {
    const { secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const { token } = await derive(domain, { credential: secret, clientAddress: "10.0.0.1" });
    for (const credential of [secret, token]) {
      for (const clientAddress of ["192.0.2.1", undefined]) {
        await expect(derive(domain, { credential, clientAddress })).rejects.toMatchObject({
          reason: "IP_NOT_ALLOWED",
          message: "the key may not be used from the client's address",
        });
      }
    }
  });
});

describe("the scopes of a token", () => {
  test("are those of its key when none were asked for, each once", async () => {
    const { secret } = await issue(domain, { scopes: ["b", "a", "b"] });
    expect((await derive(domain, { credential: secret })).claims.scopes).toEqual(["b", "a"]);
  });

  test("are those that were asked for, each once, in that order", async () => {
    const { secret } = await issue(domain, { scopes: ["a", "b", "c"] });
    const { claims } = await derive(domain, { credential: secret, scopes: ["c", "a", "c"] });
    expect(claims.scopes).toEqual(["c", "a"]);
  });

  test("must be its parent's, and are refused by name", async () => {
    const { secret } = await issue(domain, { scopes: ["a", "b", "c"] });
    const { token } = await derive(domain, { credential: secret, scopes: ["a", "b"] });
    const narrowed = addCaveatTo((await macaroonOf(secret)).token, 'scp subset ["a"]');
    const refused: [credential: string, scopes: string[], missing: string][] = [
      [secret, ["a", "admin", "x"], "admin, x"],
      [token, ["a", "c"], "c"],
      [narrowed, ["b", "a", "c"], "b, c"],
    ];
    for (const [credential, scopes, missing] of refused) {
      await expect(derive(domain, { credential, scopes })).rejects.toMatchObject({
        reason: "SCOPE_NOT_ALLOWED",
        message: `the credential does not have these scopes: ${missing}`,
      });
    }
    expect((await derive(domain, { credential: narrowed })).claims.scopes).toEqual(["a"]);
  });

  test("are those that its key still has", async () => {
    const { record, secret } = await issue(domain, { scopes: ["a", "b"] });
    const { token } = await derive(domain, { credential: secret });
    await updateKey(domain, { ...record, attributes: { scopes: ["b", "c"] }, path: "" });
    expect((await derive(domain, { credential: token })).claims.scopes).toEqual(["b"]);
    await expect(derive(domain, { credential: token, scopes: ["a"] })).rejects.toMatchObject({
      reason: "SCOPE_NOT_ALLOWED",
      message: "the credential does not have these scopes: a",
    });
  });

  test("are well-formed", async () => {
    const { secret } = await issue(domain);
    await expect(derive(domain, { credential: secret, scopes: ["a b"] })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "scopes[0]: must be 1 to 255 printable characters without spaces",
    });
  });
});

describe("the life of a token", () => {
  test.each([undefined, 0])("for which %s was asked is the default", async (ttlMs) => {
    const { secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret, ttlMs });
    expect(claims.expireTime).toEqual(inMs(DEFAULT_TTL_MS));
  });

  test.each([
    [1_000, 1_000],
    [1_001, 2_000],
    [MAX_TTL_MS, MAX_TTL_MS],
  ])("for which %d ms were asked is %d ms: whole seconds", async (ttlMs, lifeMs) => {
    const { secret } = await issue(domain);
    const { claims } = await derive(domain, { credential: secret, ttlMs });
    expect(claims.expireTime).toEqual(inMs(lifeMs));
  });

  test.each([-1, 999, MAX_TTL_MS + 1])("of %d ms is refused", async (ttlMs) => {
    const { secret } = await issue(domain);
    await expect(derive(domain, { credential: secret, ttlMs })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "ttl: must be 1s to 86400s, or 0s for the default",
      fields: [{ field: "ttl", description: "must be 1s to 86400s, or 0s for the default" }],
    });
  });

  const BEYOND = { reason: "INVALID_ARGUMENT", message: "ttl: must end within the life of the credential" };

  test("ends with that of its key: the default is shortened, more is refused", async () => {
    const { secret } = await issue(domain, { ttlMs: MINUTE_MS + 500 });
    expect((await derive(domain, { credential: secret })).claims.expireTime).toEqual(inMs(MINUTE_MS));
    expect((await derive(domain, { credential: secret, ttlMs: MINUTE_MS + 500 })).claims.expireTime).toEqual(
      inMs(MINUTE_MS),
    );
    await expect(derive(domain, { credential: secret, ttlMs: MINUTE_MS + 501 })).rejects.toMatchObject(BEYOND);
  });

  test("ends with that of the token that it is made from, by its caveats too", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, ttlMs: MINUTE_MS });
    const endSeconds = inMs(MINUTE_MS).getTime() / 1_000;
    const narrowed = addCaveatTo((await macaroonOf(secret)).token, `exp <= ${endSeconds}`);
    for (const credential of [token, narrowed]) {
      expect((await derive(domain, { credential })).claims.expireTime).toEqual(inMs(MINUTE_MS));
      expect((await derive(domain, { credential, ttlMs: 30_000 })).claims.expireTime).toEqual(inMs(30_000));
      await expect(derive(domain, { credential, ttlMs: MINUTE_MS + 1 })).rejects.toMatchObject(BEYOND);
    }
  });

  test("ends with the grace period of its key", async () => {
    const { record, secret } = await issue(domain, { ttlMs: HOUR_MS });
    const { token: before } = await derive(domain, { credential: secret });
    await rotate(domain, { ...record, overrides: {}, gracePeriodMs: MINUTE_MS });
    for (const credential of [secret, before]) {
      const { token, claims } = await derive(domain, { credential });
      expect(claims.expireTime).toEqual(inMs(MINUTE_MS));
      expect(await verdict(domain, token)).toBe("active");
      await expect(derive(domain, { credential, ttlMs: MINUTE_MS + 1 })).rejects.toMatchObject(BEYOND);
    }
  });

  test("must be longer than nothing", async () => {
    const { secret } = await issue(domain, { ttlMs: MINUTE_MS + 999 });
    domain.advance(MINUTE_MS - 1);
    const { token, claims } = await derive(domain, { credential: secret });
    expect(claims.expireTime).toEqual(inMs(1));
    expect(await verdict(domain, token)).toBe("active");
    domain.advance(1);
    expect(await verdict(domain, secret)).toBe("active");
    await expect(derive(domain, { credential: secret })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the credential expires within a second",
    });
  });
});

describe("the networks of a token", () => {
  test("are those that its key and its parent have in common", async () => {
    const { record, secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const { token } = await derive(domain, { credential: secret, algorithm: "macaroon", clientAddress: "10.1.1.1" });
    const narrowed = addCaveatTo(token, 'acl subset ["10.1.0.0/16","192.0.2.0/24"]');
    await updateKey(domain, { ...record, attributes: { allowedCidrs: ["10.1.1.0/24", "10.2.0.0/16"] }, path: "" });
    const { claims } = await derive(domain, { credential: narrowed, clientAddress: "10.1.1.1" });
    expect(claims.allowedCidrs).toEqual(["10.1.1.0/24"]);
  });

  test("are its parent's when its key has none, and its key's when its parent has none", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await macaroonOf(secret);
    const narrowed = addCaveatTo(token, 'acl subset ["10.0.0.0/8"]');
    const { claims } = await derive(domain, { credential: narrowed, clientAddress: "10.1.1.1" });
    expect(claims.allowedCidrs).toEqual(["10.0.0.0/8"]);

    await updateKey(domain, { ...record, attributes: { allowedCidrs: ["10.1.0.0/16"] }, path: "" });
    const later = await derive(domain, { credential: token, clientAddress: "10.1.1.1" });
    expect(later.claims.allowedCidrs).toEqual(["10.1.0.0/16"]);
  });
});

describe("custom claims", () => {
  test("are inherited, may be added to, and may be said again", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, customClaims: { team: { id: 1, name: "a" } } });
    const { claims } = await derive(domain, {
      credential: token,
      algorithm: "macaroon",
      customClaims: { team: { name: "a", id: 1 }, region: "eu" },
    });
    expect(claims.custom).toEqual({ team: { name: "a", id: 1 }, region: "eu" });
    const { token: last } = await derive(domain, { credential: token });
    expect((await derive(domain, { credential: last })).claims.custom).toEqual({ team: { id: 1, name: "a" } });
  });

  test.each<[string, JsonObject]>([
    ["another value", { team: "b" }],
    ["nothing", { team: null }],
    ["another type", { team: ["a"] }],
  ])("that a parent token has cannot be said differently: %s", async (_, customClaims) => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, customClaims: { team: "a" } });
    await expect(derive(domain, { credential: token, customClaims })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "custom_claims: team: the parent token says otherwise",
    });
  });

  test.each([...RESERVED_CLAIMS])("may not be named %s", async (name) => {
    const { secret } = await issue(domain);
    const customClaims = JSON.parse(JSON.stringify({ team: "a" }).replace("team", name)) as JsonObject;
    await expect(derive(domain, { credential: secret, customClaims })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: `custom_claims: ${name} is a reserved name`,
    });
  });

  test("with several reserved names are told each of them", async () => {
    const { secret } = await issue(domain);
    await expect(derive(domain, { credential: secret, customClaims: { exp: 1, a: 1, scp: [] } })).rejects.toMatchObject(
      {
        reason: "INVALID_ARGUMENT",
        message: "custom_claims: exp is a reserved name; custom_claims: scp is a reserved name",
      },
    );
  });

  test("are at most 4 KiB", async () => {
    const { secret } = await issue(domain);
    const ofBytes = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
    await derive(domain, { credential: secret, customClaims: ofBytes(4_096) });
    await expect(derive(domain, { credential: secret, customClaims: ofBytes(4_097) })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "custom_claims: must be at most 4096 bytes as compact UTF-8 JSON",
    });
  });

  test("do not change what a token is: its networks and scopes stay those of the service", async () => {
    const { secret } = await issue(domain, { scopes: ["read"] });
    const { claims } = await derive(domain, { credential: secret, customClaims: { ACL: [], Scp: ["admin"] } });
    expect(claims).toMatchObject({ scopes: ["read"], custom: { ACL: [], Scp: ["admin"] } });
  });
});

describe("a token that would be too long for a credential", () => {
  const scopes = Array.from({ length: 128 }, (_, index) => `${index}`.padStart(100, "s"));

  test.each(["jwt", "macaroon"] as const)("is not made: %s", async (algorithm) => {
    const { secret } = await issue(domain, { scopes });
    await expect(derive(domain, { credential: secret, algorithm })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "scopes: make a token of more than 16384 characters, with the claims",
    });
    const { token } = await derive(domain, { credential: secret, algorithm, scopes: scopes.slice(0, 100) });
    expect(await verdict(domain, token)).toBe("active");
  });
});

describe("where tokens.check_parent is off", () => {
  test("a token is made from a token as it is, and does not outlive it", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read", "write"] });
    const { token } = await derive(domain, { credential: secret, ttlMs: MINUTE_MS, scopes: ["read"] });
    const stateless = withTokens({ checkParent: false });
    const { claims } = await derive(stateless, { credential: token });
    expect(claims).toMatchObject({ scopes: ["read"], expireTime: inMs(MINUTE_MS) });

    await updateKey(domain, { ...record, attributes: { scopes: ["write"] }, path: "" });
    expect(await verdict(stateless, token)).toBe("active");
    await expect(derive(stateless, { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the key has lost every scope of the credential",
    });
  });

  test("a token of a key that was deleted and imported again makes no other", async () => {
    const stateless = withTokens({ checkParent: false });
    const record = await importRaw(domain, { rawKey: "sk_live_1", scopes: ["admin"] });
    const { token } = await derive(domain, { credential: "sk_live_1" });
    await deleteImportedKey(domain, record);
    await importRaw(domain, { rawKey: "sk_live_1", actorId: "somebody else" });
    await expect(derive(stateless, { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the credential is not valid",
    });
  });

  test("a token whose key is revoked makes no other, though it is good itself", async () => {
    const stateless = withTokens({ checkParent: false });
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    expect(await verdict(stateless, token)).toBe("active");
    await expect(derive(stateless, { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the key is revoked",
    });
  });

  test("a token whose key is gone makes no other", async () => {
    const record = await importRaw(domain, { rawKey: "sk_live_1" });
    const { token } = await derive(domain, { credential: "sk_live_1" });
    await domain.store.delete(record, record.version);
    await expect(derive(withTokens({ checkParent: false }), { credential: token })).rejects.toMatchObject({
      reason: "PARENT_KEY_INVALID",
      message: "the credential is not valid",
    });
  });
});

function macaroonOf(credential: string) {
  return derive(domain, { credential, algorithm: "macaroon" });
}
