import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { formatIssuedKey } from "../../src/credentials/issued-key.js";
import { getKey } from "../../src/domain/get-key.js";
import { keyStatus } from "../../src/domain/key-status.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { ServiceError } from "../../src/errors.js";
import { createFixture, type Fixture, issue, rotate, tenantId, verdict, withKeys } from "./fixture.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

describe("a key with a ttl", () => {
  test("is good until that very millisecond", async () => {
    const { secret, record } = await issue(domain, { ttlMs: MINUTE_MS });
    expect(record.expireTime).toEqual(new Date(domain.clock().getTime() + MINUTE_MS));
    domain.advance(MINUTE_MS - 1);
    expect(await verdict(domain, secret)).toBe("active");
    domain.advance(1);
    expect(await verdict(domain, secret)).toBe("expired");
  });

  test("that expired can be revoked, and is revoked then", async () => {
    const { secret, record } = await issue(domain, { ttlMs: MINUTE_MS });
    domain.advance(DAY_MS);
    await revokeKey(domain, { ...record, reason: "key_compromise", description: "" });
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("that expired can still be renamed, but not rotated", async () => {
    const { record } = await issue(domain, { ttlMs: MINUTE_MS });
    domain.advance(DAY_MS);
    const renamed = await updateKey(domain, { ...record, attributes: { name: "old" }, path: "" });
    expect(renamed.name).toBe("old");
    await expect(rotate(domain, { ...record, overrides: {}, gracePeriodMs: 0 })).rejects.toThrow(
      new ServiceError("KEY_NOT_ACTIVE", "the key is expired, and cannot be rotated"),
    );
  });
});

describe("a ttl", () => {
  test("of zero, or none, is the configured default", async () => {
    await domain.dispose();
    domain = await createFixture({ defaultTtlMs: DAY_MS });
    for (const ttlMs of [undefined, 0]) {
      const { record } = await issue(domain, { ttlMs });
      expect(record.expireTime).toEqual(new Date(domain.clock().getTime() + DAY_MS));
    }
  });

  test("without a configured default is for ever", async () => {
    expect((await issue(domain)).record.expireTime).toBeUndefined();
  });

  test.each([-1, 999, 315_360_000_001])("of %d ms is refused", async (ttlMs) => {
    await expect(issue(domain, { ttlMs })).rejects.toThrow(
      new ServiceError("INVALID_ARGUMENT", "ttl: must be 1s to 315360000s, or 0s for the default"),
    );
  });
});

describe("a public key", () => {
  test("has the public prefix and needs one to be configured", async () => {
    await expect(issue(domain, { visibility: "public" })).rejects.toThrow(
      "visibility: KEY_VISIBILITY_PUBLIC needs keys.public_prefix in the server's configuration",
    );
    await domain.dispose();
    domain = await createFixture({ publicPrefix: "pk" });
    const { secret } = await issue(domain, { visibility: "public" });
    expect(secret).toMatch(/^pk_v1_/);
    expect(await verdict(domain, secret)).toBe("active");
  });
});

describe("a key of a prefix that is retired", () => {
  test("still verifies; of a prefix that is unknown it does not", async () => {
    const { secret } = await issue(domain);
    expect(await verdict({ ...domain, ...withKeys({ prefix: "new", retiredPrefixes: ["lk"] }) }, secret)).toBe(
      "active",
    );
    expect(await verdict({ ...domain, ...withKeys({ prefix: "new" }) }, secret)).toBe("not_found");
  });
});

describe("rotation", () => {
  test("refuses the old key at once, and the new one lives as long as the old one was to", async () => {
    const { secret, record } = await issue(domain, { ttlMs: 10 * DAY_MS, scopes: ["read"], metadata: { team: "a" } });
    domain.advance(9 * DAY_MS);
    const rotated = await rotate(domain, { ...record, overrides: { scopes: [], name: "next" }, gracePeriodMs: 0 });

    expect(rotated.record).toMatchObject({ name: "next", scopes: [], metadata: { team: "a" }, actorId: "me" });
    expect(rotated.record.expireTime).toEqual(new Date(domain.clock().getTime() + 10 * DAY_MS));
    expect(rotated.record).not.toHaveProperty("pending");
    expect(rotated.old).toMatchObject({ successor: rotated.record.keyId, revocation: { reason: "superseded" } });
    expect(keyStatus(rotated.old, domain.clock())).toBe("revoked");
    expect(await verdict(domain, secret)).toBe("revoked");
    expect(await verdict(domain, rotated.secret)).toBe("active");
  });

  test("with a grace period keeps the old key until it ends", async () => {
    const { secret, record } = await issue(domain);
    const rotated = await rotate(domain, { ...record, overrides: {}, gracePeriodMs: MINUTE_MS });
    domain.advance(MINUTE_MS - 1);
    expect(await verdict(domain, secret)).toBe("active");
    domain.advance(1);
    expect(await verdict(domain, secret)).toBe("revoked");
    expect(await verdict(domain, rotated.secret)).toBe("active");
  });

  test("with a grace period past the old key's expiry does not prolong it", async () => {
    const { secret, record } = await issue(domain, { ttlMs: MINUTE_MS });
    const { old } = await rotate(domain, { ...record, overrides: {}, gracePeriodMs: DAY_MS });
    expect(old.revocation?.graceEnd).toEqual(record.expireTime);
    domain.advance(MINUTE_MS);
    expect(await verdict(domain, secret)).not.toBe("active");
  });

  test("in its grace period the old key can be revoked at once, and its successor stays", async () => {
    const { secret, record } = await issue(domain);
    const rotated = await rotate(domain, { ...record, overrides: {}, gracePeriodMs: DAY_MS });
    await revokeKey(domain, { ...record, reason: "key_compromise", description: "" });
    expect(await verdict(domain, secret)).toBe("revoked");
    const old = await getKey(domain, record, "issued");
    expect(old).toMatchObject({ successor: rotated.record.keyId, revocation: { reason: "key_compromise" } });
  });

  test("happens once: a rotated key is rotated no more, also in its grace period", async () => {
    const { record } = await issue(domain);
    const { record: successor } = await rotate(domain, { ...record, overrides: {}, gracePeriodMs: DAY_MS });
    await expect(rotate(domain, { ...record, overrides: {}, gracePeriodMs: 0 })).rejects.toMatchObject({
      reason: "KEY_NOT_ACTIVE",
      message: "the key was rotated before; rotate its successor",
      metadata: { successor: successor.keyId },
    });
    await rotate(domain, { ...successor, overrides: {}, gracePeriodMs: 0 });
  });

  test.each([-1, 30 * DAY_MS + 1])("with a grace period of %d ms is refused", async (gracePeriodMs) => {
    const { record } = await issue(domain);
    await expect(rotate(domain, { ...record, overrides: {}, gracePeriodMs })).rejects.toThrow(
      "grace_period: must be 0s to 30 days",
    );
  });

  test("by many at once has one winner, and leaves one usable key", async () => {
    const { secret, record } = await issue(domain);
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => rotate(domain, { ...record, overrides: {}, gracePeriodMs: 0 })),
    );
    const winners = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    expect(winners).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected") expect(attempt.reason).toHaveProperty("reason", "KEY_NOT_ACTIVE");
    }
    expect(await verdict(domain, secret)).toBe("revoked");
    const { records } = await domain.store.list({ tenantId, kind: "issued", limit: 100 });
    expect(records.map((key) => key.keyId).sort()).toEqual([record.keyId, winners[0]?.record.keyId].sort());
  });
});

describe("revocation", () => {
  test("holds also where the clock is behind", async () => {
    const { secret, record } = await issue(domain);
    const { secret: rotated, record: predecessor } = await issue(domain);
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    await rotate(domain, { ...predecessor, overrides: {}, gracePeriodMs: 0 });
    domain.advance(-DAY_MS);
    expect(await verdict(domain, secret)).toBe("revoked");
    expect(await verdict(domain, rotated)).toBe("revoked");
    await expect(rotate(domain, { ...predecessor, overrides: {}, gracePeriodMs: 0 })).rejects.toThrow(
      "the key is revoked, and cannot be rotated",
    );
  });

  test("happens once: a second one succeeds and changes nothing", async () => {
    const { record } = await issue(domain);
    await revokeKey(domain, { ...record, reason: "privilege_withdrawn", description: "left" });
    const revoked = await getKey(domain, record, "issued");
    domain.advance(DAY_MS);
    await revokeKey(domain, { ...record, reason: "key_compromise", description: "" });
    expect(await getKey(domain, record, "issued")).toEqual(revoked);
  });

  test("freezes the key", async () => {
    const { record } = await issue(domain);
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    await expect(updateKey(domain, { ...record, attributes: { name: "x" }, path: "" })).rejects.toThrow(
      new ServiceError("KEY_NOT_ACTIVE", "the key is revoked, and revoked keys do not change"),
    );
  });

  test("does not lose to updates that race with it", async () => {
    const { secret, record } = await issue(domain);
    const updates = Array.from({ length: 5 }, (_, index) =>
      updateKey(domain, { ...record, attributes: { name: `name ${index}` }, path: "" }).catch((error) => error),
    );
    await revokeKey(domain, { ...record, reason: "unspecified", description: "" });
    await Promise.all(updates);
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("takes a description with PRIVILEGE_WITHDRAWN only, of at most 255 characters", async () => {
    const { record } = await issue(domain);
    await expect(revokeKey(domain, { ...record, reason: "superseded", description: "x" })).rejects.toThrow(
      "description: is allowed only with REVOCATION_REASON_PRIVILEGE_WITHDRAWN",
    );
    const description = "x".repeat(256);
    await expect(revokeKey(domain, { ...record, reason: "privilege_withdrawn", description })).rejects.toThrow(
      "description: must be at most 255 characters",
    );
  });
});

describe("verification", () => {
  test("gives the same answer to a wrong secret and to an unknown key", async () => {
    const { record } = await issue(domain);
    const forge = (keyId: string) => formatIssuedKey({ prefix: "lk", keyId, secret: Buffer.alloc(32) });
    const [wrong, unknown] = await Promise.all(
      [forge(record.keyId), forge("01890a5d-ac96-774b-bcce-b302099a8057")].map((credential) =>
        verifyKey(domain, { tenantId, credential, clientAddress: undefined }),
      ),
    );
    expect(wrong).toEqual({ valid: false, failure: "not_found" });
    expect(unknown).toEqual(wrong);
  });

  test("says when a key was mistyped", async () => {
    const { secret } = await issue(domain);
    expect(await verdict(domain, secret.slice(0, -1))).toBe("invalid_format");
    expect(await verdict(domain, "something else")).toBe("not_found");
  });

  test("holds a restricted key to its networks, and fails closed when the address is unknown", async () => {
    const { secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8", "2001:db8::/32"] });
    expect(await verdict(domain, secret, "10.1.2.3")).toBe("active");
    expect(await verdict(domain, secret, "::ffff:10.1.2.3")).toBe("active");
    expect(await verdict(domain, secret, "2001:db8::1")).toBe("active");
    expect(await verdict(domain, secret, "11.0.0.1")).toBe("ip_not_allowed");
    expect(await verdict(domain, secret, undefined)).toBe("ip_not_allowed");
    expect(await verdict(domain, secret, "nonsense")).toBe("ip_not_allowed");
  });
});
