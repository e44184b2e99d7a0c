import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DomainContext, JwtKeys } from "../../src/domain/context.js";
import { deleteImportedKey } from "../../src/domain/delete-key.js";
import type { KeyAttributes } from "../../src/domain/key-attributes.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import type { KeyRecord } from "../../src/store/key-store.js";
import { createFixture, createSecrets, derive, type Fixture, importRaw, issue, tenantId, verdict } from "./fixture.js";

const ALGORITHMS = ["jwt", "macaroon"] as const;

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

/** The domain with these keys of JWTs, and how often one was asked for: once for each signature that is checked. */
function countKeys(keys: JwtKeys) {
  const counted = { checks: 0 };
  const set: JwtKeys = {
    signing: keys.signing,
    find: (kid) => {
      counted.checks++;
      return keys.find(kid);
    },
  };
  const context: DomainContext = { ...domain, secrets: { ...domain.secrets, jwt: () => set } };
  return { context, counted };
}

/** Likewise of macaroons. */
function countMacaroonKeys() {
  const counted = { checks: 0 };
  const { current, all } = domain.secrets.macaroons();
  const macaroons = {
    current,
    get all() {
      counted.checks++;
      return all;
    },
  };
  const context: DomainContext = { ...domain, secrets: { ...domain.secrets, macaroons: () => macaroons } };
  return { context, counted };
}

async function scopesOf(token: string, clientAddress?: string): Promise<readonly string[] | string> {
  const verification = await verifyKey(domain, { tenantId, credential: token, clientAddress });
  return verification.valid ? (verification.token?.scopes ?? []) : verification.failure;
}

function update(record: KeyRecord, attributes: Partial<KeyAttributes>): Promise<KeyRecord> {
  return updateKey(domain, { ...record, attributes, path: "" });
}

describe("the signature of a JWT", () => {
  test("is checked once, not for each use", async () => {
    const { context, counted } = countKeys(domain.secrets.jwt());
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    for (let use = 0; use < 3; use++) expect(await verdict(context, token)).toBe("active");
    expect(counted.checks).toBe(1);
    const { token: other } = await derive(domain, { credential: secret });
    expect(await verdict(context, other)).toBe("active");
    expect(counted.checks).toBe(2);
  });

  test("that does not hold is checked each time", async () => {
    const { context, counted } = countKeys(createSecrets().jwt());
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    for (let use = 0; use < 3; use++) expect(await verdict(context, token)).toBe("signature_invalid");
    expect(counted.checks).toBe(3);
  });

  test("is checked again with other keys, and what it held with is taken back", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    expect(await verdict(domain, token)).toBe("active");

    const same = countKeys(domain.secrets.jwt());
    for (let use = 0; use < 2; use++) expect(await verdict(same.context, token)).toBe("active");
    expect(same.counted.checks).toBe(1);

    const { signing } = domain.secrets.jwt();
    const withoutIts = countKeys({ signing, find: () => undefined });
    expect(await verdict(withoutIts.context, token)).toBe("signature_invalid");
    expect(await verdict(domain, token)).toBe("active");
  });
});

describe("the signature of a macaroon", () => {
  test("is checked once, not for each use", async () => {
    const { context, counted } = countMacaroonKeys();
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    for (let use = 0; use < 3; use++) expect(await verdict(context, token)).toBe("active");
    expect(counted.checks).toBe(1);
  });

  test("does not hold for a key that was deleted and imported again, in the same millisecond too", async () => {
    const record = await importRaw(domain, { rawKey: "sk_live_1" });
    const { token } = await derive(domain, { credential: "sk_live_1", algorithm: "macaroon" });
    expect(await verdict(domain, token)).toBe("active");
    await deleteImportedKey(domain, record);
    expect(await verdict(domain, token)).toBe("signature_invalid");
    await importRaw(domain, { rawKey: "sk_live_1" });
    expect(await verdict(domain, token)).toBe("signature_invalid");
  });
});

describe.each(ALGORITHMS)("a token that is remembered (%s)", (algorithm) => {
  test("is refused as soon as its key is revoked", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    expect(await verdict(domain, token)).toBe("active");
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    expect(await verdict(domain, token)).toBe("revoked");
  });

  test("loses the scopes that its key loses, and gets them back, but no others", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read", "write", "list"] });
    const { token } = await derive(domain, { credential: secret, algorithm, scopes: ["write", "read"] });
    expect(await scopesOf(token)).toEqual(["write", "read"]);
    await update(record, { scopes: ["read", "admin"] });
    expect(await scopesOf(token)).toEqual(["read"]);
    await update(record, { scopes: ["admin"] });
    expect(await scopesOf(token)).toBe("scopes_withdrawn");
    await update(record, { scopes: ["admin", "read", "write", "list"] });
    expect(await scopesOf(token)).toEqual(["write", "read"]);
  });

  test("without scopes stays one without scopes, whatever its key gets", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    expect(await scopesOf(token)).toEqual([]);
    await update(record, { scopes: ["admin"] });
    expect(await scopesOf(token)).toEqual([]);
  });

  test("is held to the networks that its key is restricted to later", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    expect(await verdict(domain, token, "192.0.2.1")).toBe("active");
    await update(record, { allowedCidrs: ["10.0.0.0/8"] });
    expect(await verdict(domain, token, "192.0.2.1")).toBe("ip_not_allowed");
    expect(await verdict(domain, token)).toBe("ip_not_allowed");
    expect(await verdict(domain, token, "10.0.0.1")).toBe("active");
  });

  test("is held to both: its own networks, and those of its key", async () => {
    const { record, secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const { token } = await derive(domain, { credential: secret, algorithm, clientAddress: "10.0.0.1" });
    await update(record, { allowedCidrs: ["10.1.0.0/16", "192.0.2.0/24"] });
    expect(await verdict(domain, token, "10.1.0.1")).toBe("active");
    expect(await verdict(domain, token, "10.2.0.1")).toBe("ip_not_allowed");
    expect(await verdict(domain, token, "192.0.2.1")).toBe("ip_not_allowed");
  });

  test("expires all the same", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm, ttlMs: 60_000 });
    expect(await verdict(domain, token)).toBe("active");
    domain.advance(60_000);
    expect(await verdict(domain, token)).toBe("expired");
  });
});
