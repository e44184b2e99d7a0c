import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { formatIssuedKey } from "../../src/credentials/issued-key.js";
import { getKey } from "../../src/domain/get-key.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { type SelfRevokeKeyInput, selfRevokeKey } from "../../src/domain/self-revoke-key.js";
import { countCalls } from "./count-calls.js";
import { createFixture, derive, type Fixture, importRaw, issue, rotate, tenantId, verdict } from "./fixture.js";

const MINUTE_MS = 60_000;
const OTHER_TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";
const KEY_NOT_FOUND = { reason: "API_KEY_NOT_FOUND", message: "API key not found" };

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function selfRevoke(input: Partial<SelfRevokeKeyInput> & { readonly credential: string }, context = domain) {
  return selfRevokeKey(context, { tenantId, reason: "unspecified", clientAddress: "192.0.2.1", ...input });
}

describe("whoever shows a key", () => {
  test("revokes it, with the reason given", async () => {
    const { record, secret } = await issue(domain);
    await selfRevoke({ credential: secret, reason: "key_compromise" });
    expect(await verdict(domain, secret)).toBe("revoked");
    expect((await getKey(domain, record, "issued")).revocation).toEqual({ reason: "key_compromise" });
  });

  test("revokes an imported one too", async () => {
    const record = await importRaw(domain, { rawKey: "sk_live_1" });
    await selfRevoke({ credential: "sk_live_1", reason: "affiliation_changed" });
    expect(await verdict(domain, "sk_live_1")).toBe("revoked");
    expect((await getKey(domain, record, "imported")).revocation).toEqual({ reason: "affiliation_changed" });
  });

  test("revokes it from wherever", async () => {
    const { secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    await selfRevoke({ credential: secret, clientAddress: undefined });
    expect(await verdict(domain, secret, "10.0.0.1")).toBe("revoked");
  });

  test("revokes it once: again succeeds, and changes nothing", async () => {
    const { record, secret } = await issue(domain);
    await revokeKey(domain, { ...record, reason: "privilege_withdrawn", description: "left" });
    const revoked = await getKey(domain, record, "issued");
    domain.advance(MINUTE_MS);
    await selfRevoke({ credential: secret, reason: "key_compromise" });
    expect(await getKey(domain, record, "issued")).toEqual(revoked);
  });

  test("revokes it also when it is expired, or in the grace period of a rotation", async () => {
    const expired = await issue(domain, { ttlMs: MINUTE_MS });
    domain.advance(MINUTE_MS);
    await selfRevoke({ credential: expired.secret });
    expect(await verdict(domain, expired.secret)).toBe("revoked");

    const rotated = await issue(domain);
    const { secret } = await rotate(domain, { ...rotated.record, overrides: {}, gracePeriodMs: MINUTE_MS });
    await selfRevoke({ credential: rotated.secret });
    expect(await verdict(domain, rotated.secret)).toBe("revoked");
    expect(await verdict(domain, secret)).toBe("active");
  });
});

describe("a self-revocation", () => {
  test("with a reason that is for operators is refused", async () => {
    const { secret } = await issue(domain);
    await expect(selfRevoke({ credential: secret, reason: "privilege_withdrawn" })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "reason: REVOCATION_REASON_PRIVILEGE_WITHDRAWN is for operators",
    });
    expect(await verdict(domain, secret)).toBe("active");
  });

  test.each(["jwt", "macaroon"] as const)("of a derived token is refused: %s", async (algorithm) => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret, algorithm });
    for (const credential of [token, `${token.slice(0, -4)}AAAA`]) {
      await expect(selfRevoke({ credential })).rejects.toMatchObject({
        reason: "DERIVED_TOKEN_NOT_REVOCABLE",
        message: "derived tokens cannot be revoked; revoke their key",
      });
    }
    expect(await verdict(domain, token)).toBe("active");
  });

  test("without a credential, or with too long a one, is refused", async () => {
    await expect(selfRevoke({ credential: "" })).rejects.toMatchObject({
      reason: "CREDENTIAL_REQUIRED",
      message: "credential: is required",
    });
    await expect(selfRevoke({ credential: "x".repeat(16_385) })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "credential: must be at most 16384 bytes",
    });
  });

  test("of an unknown key, with a wrong secret, mistyped, or of another tenant is one answer", async () => {
    const { record, secret } = await issue(domain);
    const forge = (keyId: string) => formatIssuedKey({ prefix: "lk", keyId, secret: Buffer.alloc(32, 7) });
    const refused = [forge(OTHER_TENANT), forge(record.keyId), secret.slice(0, -1), "something else"];
    for (const credential of refused) await expect(selfRevoke({ credential })).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(selfRevoke({ credential: secret, tenantId: OTHER_TENANT })).rejects.toMatchObject(KEY_NOT_FOUND);
    expect(await verdict(domain, secret)).toBe("active");
  });
});

describe("self-revocations that fail", () => {
  const rateLimited = (seconds: number) => ({
    reason: "RATE_LIMITED",
    message: `too many attempts failed; try again in ${seconds} s`,
    metadata: { retry_after_seconds: String(seconds) },
  });

  async function failTimes(count: number, addressOf: (attempt: number) => string): Promise<void> {
    for (let attempt = 0; attempt < count; attempt++) {
      const guess = { credential: `guess ${attempt}`, clientAddress: addressOf(attempt) };
      await expect(selfRevoke(guess)).rejects.toMatchObject(KEY_NOT_FOUND);
    }
  }

  test("ten times in a minute make their address wait, without a look at the store", async () => {
    const secret = "sk_live_1";
    await importRaw(domain, { rawKey: secret });
    await failTimes(10, () => "192.0.2.1");
    domain.advance(15_500);
    const { store, count } = countCalls(domain.store);
    await expect(selfRevoke({ credential: secret }, { ...domain, store })).rejects.toMatchObject(rateLimited(45));
    expect(count("read")).toBe(0);
    expect(await verdict(domain, secret)).toBe("active");

    domain.advance(44_500);
    await selfRevoke({ credential: secret });
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("keep nobody from revoking a key that was issued here: it cannot be guessed", async () => {
    const { secret } = await issue(domain);
    await failTimes(10, () => "192.0.2.1");
    await selfRevoke({ credential: secret });
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("do not make other addresses wait", async () => {
    const secret = "sk_live_1";
    await importRaw(domain, { rawKey: secret });
    await failTimes(10, () => "192.0.2.1");
    await selfRevoke({ credential: secret, clientAddress: "192.0.2.2" });
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("a thousand times in a minute make everybody wait", async () => {
    const secret = "sk_live_1";
    await importRaw(domain, { rawKey: secret });
    await failTimes(1_000, (attempt) => `10.0.0.${attempt % 200}`);
    await expect(selfRevoke({ credential: secret })).rejects.toMatchObject(rateLimited(60));
  });

  test("are what counts: neither success nor what is refused by its form does", async () => {
    const { secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    for (let attempt = 0; attempt < 20; attempt++) {
      await selfRevoke({ credential: secret });
      await expect(selfRevoke({ credential: token })).rejects.toHaveProperty("reason", "DERIVED_TOKEN_NOT_REVOCABLE");
      await expect(selfRevoke({ credential: "" })).rejects.toHaveProperty("reason", "CREDENTIAL_REQUIRED");
    }
    await expect(selfRevoke({ credential: "guess" })).rejects.toMatchObject(KEY_NOT_FOUND);
  });

  test("all at once are no more than the limit", async () => {
    const secret = "sk_live_1";
    await importRaw(domain, { rawKey: secret });
    const guesses = Array.from({ length: 100 }, (_, index) => selfRevoke({ credential: `guess ${index}` }));
    const last = selfRevoke({ credential: secret });
    const outcomes = await Promise.allSettled([...guesses, last]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.reason : "revoked"));
    expect(reasons.filter((reason) => reason === "API_KEY_NOT_FOUND")).toHaveLength(10);
    expect(reasons.filter((reason) => reason === "RATE_LIMITED")).toHaveLength(91);
    expect(await verdict(domain, secret)).toBe("active");
  });
});
