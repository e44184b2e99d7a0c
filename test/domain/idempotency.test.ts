import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parseIssuedKey } from "../../src/credentials/issued-key.js";
import type { DomainContext, RotatedKeys } from "../../src/domain/context.js";
import { type IssueKeyInput, issueKey } from "../../src/domain/issue-key.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { sweep } from "../../src/domain/sweep.js";
import { updateKey } from "../../src/domain/update-key.js";
import { createFixture, type Fixture, issue, issueInput, tenantId, verdict } from "./fixture.js";
import { recordHolds } from "./record-holds.js";
import { withFaults } from "./with-faults.js";

const MINUTE_MS = 60_000;
const SECRET_AGE_MS = 10 * MINUTE_MS;
const OTHER_TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";
const REQUEST_ID = "5f0c1a3e-request-id";
const USED_BEFORE = {
  reason: "INVALID_ARGUMENT",
  message: "request_id: was used before, for another request",
  fields: [{ field: "request_id", description: "was used before, for another request" }],
};

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function request(input: Partial<IssueKeyInput> = {}, context: DomainContext = domain) {
  return issueKey(context, { ...issueInput, requestId: REQUEST_ID, ...input });
}

async function countKeys(): Promise<number> {
  return (await domain.store.list({ tenantId, kind: "issued", limit: 100 })).records.length;
}

/** The domain, where secrets are sealed with other keys. */
function withSealing(sealing: RotatedKeys): DomainContext {
  return { ...domain, secrets: { ...domain.secrets, sealing: () => sealing } };
}

describe("a request that comes again", () => {
  test("is answered with the same key and secret", async () => {
    const first = await request({ scopes: ["read"], metadata: { a: 1, b: [2] }, ttlMs: MINUTE_MS });
    domain.advance(5_000);
    const second = await request({ scopes: ["read"], metadata: { b: [2], a: 1 }, ttlMs: MINUTE_MS });
    expect(second).toEqual(first);
    expect(await verdict(domain, String(second.secret))).toBe("active");
    expect(await countKeys()).toBe(1);
  });

  test("has a key whose id is a UUID of version 8", async () => {
    const { record, secret } = await request();
    expect(record.keyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseIssuedKey(String(secret), ["lk"])).toHaveProperty("value.keyId", record.keyId);
  });

  test("eight times at once makes one key", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => request()));
    expect(answers).toEqual(Array(8).fill(answers[0]));
    expect(answers[0]?.secret).toBeDefined();
    expect(await countKeys()).toBe(1);
  });

  test("after its answer was lost is answered", async () => {
    const store = withFaults(domain.store, "insert", ["applied, and the reply lost"]);
    await expect(request({}, { ...domain, store })).rejects.toMatchObject({
      reason: "UNAVAILABLE",
      message: "the reply was lost",
    });
    const { secret } = await request();
    expect(await verdict(domain, String(secret))).toBe("active");
    expect(await countKeys()).toBe(1);
  });

  test("after it did not arrive makes the key", async () => {
    const store = withFaults(domain.store, "insert", ["lost before it was applied"]);
    await expect(request({}, { ...domain, store })).rejects.toHaveProperty("reason", "UNAVAILABLE");
    expect(await countKeys()).toBe(0);
    const { secret } = await request();
    expect(await verdict(domain, String(secret))).toBe("active");
  });

  test("is answered with the key as it is by now", async () => {
    const { record, secret } = await request();
    const renamed = await updateKey(domain, { ...record, attributes: { name: "renamed" }, path: "" });
    expect(await request()).toEqual({ record: renamed, secret });
    await revokeKey(domain, { ...record, reason: "key_compromise", description: "" });
    const again = await request();
    expect(again.record.revocation).toEqual({ reason: "key_compromise" });
    expect(await verdict(domain, String(again.secret))).toBe("revoked");
  });
});

describe("a request_id", () => {
  test.each<[string, Partial<IssueKeyInput>]>([
    ["name", { name: "other" }],
    ["actor", { actorId: "other" }],
    ["scopes", { scopes: ["read"] }],
    ["order of scopes", { scopes: ["b", "a"] }],
    ["ttl", { ttlMs: 2 * MINUTE_MS }],
    ["metadata", { metadata: { a: 2 } }],
    ["rate limit", { rateLimitPolicy: { quota: 2n, windowMs: 1_000, unit: "" } }],
    ["networks", { allowedCidrs: [] }],
  ])("of a request with another %s is refused", async (_, other) => {
    const first: Partial<IssueKeyInput> = {
      scopes: ["a", "b"],
      ttlMs: MINUTE_MS,
      metadata: { a: 1 },
      rateLimitPolicy: { quota: 1n, windowMs: 1_000, unit: "" },
      allowedCidrs: ["10.0.0.0/8"],
    };
    await request(first);
    await expect(request({ ...first, ...other })).rejects.toMatchObject(USED_BEFORE);
    domain.advance(24 * 60 * MINUTE_MS);
    await sweep(domain);
    await expect(request({ ...first, ...other })).rejects.toMatchObject(USED_BEFORE);
    expect(await countKeys()).toBe(1);
  });

  test("is refused to all but one of several requests that come with it at once", async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => request({ name: `${index}` })));
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected") expect(attempt.reason).toMatchObject(USED_BEFORE);
    }
  });

  test.each([
    ["another caller", { caller: "other" }],
    ["another tenant", { tenantId: OTHER_TENANT }],
  ])("is one's own: %s gets another key for it", async (_, other) => {
    const first = await request();
    const second = await request({ ...other, name: "other" });
    expect(second.record.keyId).not.toBe(first.record.keyId);
    expect(second.secret).not.toBe(first.secret);
    expect(await request()).toEqual(first);
  });

  test("that is another one, or none, makes another key", async () => {
    const answers = [await request(), await request({ requestId: "other" })];
    for (let attempt = 0; attempt < 2; attempt++) answers.push(await request({ requestId: "" }));
    expect(new Set(answers.map(({ record }) => record.keyId)).size).toBe(4);
    expect(await countKeys()).toBe(4);
  });

  test("cannot be made one with the caller's name", async () => {
    const one = await request({ caller: "ab", requestId: "c" });
    const other = await request({ caller: "a", requestId: "bc" });
    expect(other.record.keyId).not.toBe(one.record.keyId);
  });

  test("has at most 36 characters", async () => {
    await expect(request({ requestId: "x".repeat(37) })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "request_id: must be at most 36 characters",
    });
    await request({ requestId: "x".repeat(36) });
  });
});

describe("the secret for a retry", () => {
  test("is there for ten minutes, and the key after that", async () => {
    const first = await request();
    domain.advance(SECRET_AGE_MS - 1);
    expect(await request()).toEqual(first);
    domain.advance(1);
    expect(await request()).toEqual({ record: first.record, secret: undefined });
    expect(await verdict(domain, String(first.secret))).toBe("active");
  });

  test("is removed by the sweeper, and by nothing else", async () => {
    const { record, secret } = await request();
    domain.advance(SECRET_AGE_MS);
    expect((await sweep(domain)).secretsRemoved).toBe(0);
    expect(await domain.store.read(record)).toHaveProperty("sealedSecret");
    domain.advance(1);
    expect((await sweep(domain)).secretsRemoved).toBe(1);
    expect((await sweep(domain)).secretsRemoved).toBe(0);

    const { sealedSecret: _, ...kept } = record;
    expect(await domain.store.read(record)).toEqual({ ...kept, version: 2 });
    expect(await request()).toEqual({ record: { ...kept, version: 2 }, secret: undefined });
    expect(await verdict(domain, String(secret))).toBe("active");
  });

  test("is kept of no key that was issued without a request_id", async () => {
    const { record } = await issue(domain);
    expect(record).not.toHaveProperty("sealedSecret");
    expect(record).not.toHaveProperty("idempotency");
  });

  test("is not in the store in clear, and neither is the request_id", async () => {
    const { record, secret } = await request({ name: "billing" });
    const stored = await domain.store.read(record);
    const parsed = parseIssuedKey(String(secret), ["lk"]);
    if (!("value" in parsed)) throw new Error(parsed.error);
    const secretBytes = Buffer.from(parsed.value.secret);
    expect(recordHolds(stored, "billing")).toBe(true);
    expect(recordHolds(stored, Buffer.from(stored?.secretHash ?? []))).toBe(true);
    for (const kept of [REQUEST_ID, String(secret), String(secret).slice("lk_v1_".length), secretBytes]) {
      expect(recordHolds(stored, kept)).toBe(false);
    }
  });

  test("is sealed anew for each key", async () => {
    const [one, other] = [await request(), await request({ caller: "other" })];
    const box = Buffer.from(one.record.sealedSecret?.box ?? []);
    expect(box.length).toBeGreaterThan(0);
    expect(box.equals(Buffer.from(other.record.sealedSecret?.box ?? []))).toBe(false);
  });

  test("opens with a retired secrets.hmac, as long as that is accepted", async () => {
    const first = await request();
    const current = Buffer.alloc(32, 1);
    const before = domain.secrets.sealing().current;
    expect(await request({}, withSealing({ current, all: [current, before] }))).toEqual(first);
    expect(await request({}, withSealing({ current, all: [current] }))).toEqual({ ...first, secret: undefined });

    const later = withSealing({ current, all: [current, before] });
    const sealedWithCurrent = await request({ requestId: "later" }, later);
    expect(await request({ requestId: "later" }, withSealing({ current, all: [current] }))).toEqual(sealedWithCurrent);
  });
});
