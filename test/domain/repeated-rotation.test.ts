import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DomainContext } from "../../src/domain/context.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { type RotateKeyInput, rotateKey } from "../../src/domain/rotate-key.js";
import { sweep } from "../../src/domain/sweep.js";
import { updateKey } from "../../src/domain/update-key.js";
import type { KeyRecord } from "../../src/store/key-store.js";
import { createFixture, type Fixture, issue, tenantId, verdict } from "./fixture.js";
import { recordHolds } from "./record-holds.js";
import { type Fault, withFaults } from "./with-faults.js";
import { withMethods } from "./with-methods.js";

const MINUTE_MS = 60_000;
const SECRET_AGE_MS = 10 * MINUTE_MS;
const DAY_MS = 86_400_000;
const REQUEST_ID = "5f0c1a3e-request-id";
const USED_BEFORE = { reason: "INVALID_ARGUMENT", message: "request_id: was used before, for another request" };
const CONCURRENT_CHANGE = {
  reason: "CONCURRENT_CHANGE",
  message: "the key was changed by another request at the same time; try again",
};

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function rotateAgain(key: KeyRecord, input: Partial<RotateKeyInput> = {}, context: DomainContext = domain) {
  const { tenantId, keyId } = key;
  const rotation = { overrides: {}, gracePeriodMs: 0, caller: "test", requestId: REQUEST_ID };
  return rotateKey(context, { tenantId, keyId, ...rotation, ...input });
}

/** The domain, whose compare-and-sets meet the faults in turn: the first of a rotation is its commit. */
function withCommitFaults(faults: Fault[]): DomainContext {
  return { ...domain, store: withFaults(domain.store, "compareAndSet", faults) };
}

/** Rotates a new key as far as its pending successor, whose commit never happens. */
async function leavePending() {
  const { record, secret } = await issue(domain);
  const lost = withCommitFaults(Array<Fault>(3).fill("lost before it was applied"));
  await expect(rotateAgain(record, {}, lost)).rejects.toMatchObject({
    reason: "UNAVAILABLE",
    message: "the reply was lost",
  });
  const [pending] = await domain.store.listPending(new Date(domain.clock().getTime() + 1), 10);
  if (pending === undefined) throw new Error("no pending key");
  return { record, secret, pending };
}

async function listKeyIds(): Promise<string[]> {
  return (await domain.store.list({ tenantId, kind: "issued", limit: 100 })).records.map(({ keyId }) => keyId).sort();
}

describe("a rotation that comes again", () => {
  test("after its commit is answered with the same key, secret and old key", async () => {
    const { record, secret } = await issue(domain);
    const first = await rotateAgain(record, { overrides: { name: "next" } });
    domain.advance(MINUTE_MS);
    expect(await rotateAgain(record, { overrides: { name: "next" } })).toEqual(first);
    expect(first.record).toMatchObject({ name: "next", keyId: first.old.successor });
    expect(first.record).not.toHaveProperty("pending");
    expect([await verdict(domain, secret), await verdict(domain, String(first.secret))]).toEqual(["revoked", "active"]);
    expect(await listKeyIds()).toEqual([record.keyId, first.record.keyId].sort());
  });

  test("in the grace period, and after the old key changed once more, is answered too", async () => {
    const { record } = await issue(domain);
    const first = await rotateAgain(record, { gracePeriodMs: DAY_MS });
    await updateKey(domain, { ...record, attributes: { name: "old" }, path: "" });
    await revokeKey(domain, { ...record, reason: "key_compromise", description: "" });
    const again = await rotateAgain(record, { gracePeriodMs: DAY_MS });
    expect(again).toEqual({ ...first, old: await domain.store.read(record) });
    expect(again.old).toMatchObject({ name: "old", revocation: { reason: "key_compromise" } });
  });

  test("after ten minutes is answered without the secret", async () => {
    const { record } = await issue(domain);
    const first = await rotateAgain(record);
    domain.advance(SECRET_AGE_MS);
    expect(await rotateAgain(record)).toEqual({ ...first, secret: undefined });
    domain.advance(1);
    expect(await sweep(domain)).toMatchObject({ secretsRemoved: 1, errors: [] });
    const again = await rotateAgain(record);
    expect(again.secret).toBeUndefined();
    expect(again.record).not.toHaveProperty("sealedSecret");
    expect(await verdict(domain, String(first.secret))).toBe("active");
  });

  test("eight times at once gives one successor, and each the same secret", async () => {
    const { record, secret } = await issue(domain);
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotateAgain(record)));
    const [first] = answers;
    if (first === undefined) throw new Error("no answer");
    expect(new Set(answers.map((answer) => answer.secret))).toEqual(new Set([first.secret]));
    expect(new Set(answers.map((answer) => answer.record.keyId))).toEqual(new Set([first.old.successor]));
    for (const answer of answers) expect(answer.record).not.toHaveProperty("pending");
    expect(await listKeyIds()).toEqual([record.keyId, first.record.keyId].sort());
    expect([await verdict(domain, secret), await verdict(domain, String(first.secret))]).toEqual(["revoked", "active"]);
  });

  test("as another rotation is refused", async () => {
    const { record } = await issue(domain);
    const first = await rotateAgain(record);
    await expect(rotateAgain(record, { overrides: { name: "other" } })).rejects.toMatchObject(USED_BEFORE);
    await expect(rotateAgain(record, { gracePeriodMs: 1 })).rejects.toMatchObject(USED_BEFORE);
    expect(await listKeyIds()).toEqual([record.keyId, first.record.keyId].sort());
  });

  test.each([
    ["another request_id", { requestId: "other" }],
    ["no request_id", { requestId: "" }],
    ["another caller", { caller: "other" }],
  ])("with %s is another one, and the key was rotated", async (_, other) => {
    const { record } = await issue(domain);
    const first = await rotateAgain(record, { gracePeriodMs: DAY_MS });
    await expect(rotateAgain(record, { gracePeriodMs: DAY_MS, ...other })).rejects.toMatchObject({
      reason: "KEY_NOT_ACTIVE",
      message: "the key was rotated before; rotate its successor",
      metadata: { successor: first.record.keyId },
    });
  });

  test("for another key is another rotation", async () => {
    const [one, other] = [await issue(domain), await issue(domain)];
    const first = await rotateAgain(one.record);
    const second = await rotateAgain(other.record);
    expect(second.record.keyId).not.toBe(first.record.keyId);
    const third = await rotateAgain(first.record);
    expect(third.old.keyId).toBe(first.record.keyId);
    expect(new Set([first, second, third].map(({ secret }) => secret)).size).toBe(3);
  });

  test("leaves neither the request_id nor the secret in the store", async () => {
    const { record } = await issue(domain);
    const { record: successor, secret } = await rotateAgain(record, { overrides: { name: "billing" } });
    const stored = [await domain.store.read(record), await domain.store.read(successor)];
    expect(recordHolds(stored, "billing")).toBe(true);
    for (const kept of [REQUEST_ID, String(secret), String(secret).slice("lk_v1_".length)]) {
      expect(recordHolds(stored, kept)).toBe(false);
    }
  });
});

describe("a rotation whose answer was lost", () => {
  test("after its commit is answered when it comes again", async () => {
    const { record, secret } = await issue(domain);
    // The commit is applied, but neither that nor what became of it is heard.
    const store = withFaults(domain.store, "compareAndSet", ["applied, and the reply lost"]);
    let reads = 0;
    const deaf = withMethods(store, {
      read: (id) => (++reads === 1 ? domain.store.read(id) : Promise.reject(new Error("the connection is gone"))),
    });
    await expect(rotateAgain(record, {}, { ...domain, store: deaf })).rejects.toThrow("the connection is gone");
    expect(await verdict(domain, secret)).toBe("revoked");

    const again = await rotateAgain(record);
    expect(await verdict(domain, String(again.secret))).toBe("active");
    expect(await rotateAgain(record)).toEqual(again);
    expect(await listKeyIds()).toEqual([record.keyId, again.record.keyId].sort());
  });

  test("after its insert goes on with the key that is there", async () => {
    const { record } = await issue(domain);
    const store = withFaults(domain.store, "insert", ["applied, and the reply lost"]);
    await expect(rotateAgain(record, {}, { ...domain, store })).rejects.toHaveProperty("reason", "UNAVAILABLE");
    const again = await rotateAgain(record);
    expect(await verdict(domain, String(again.secret))).toBe("active");
    expect(await listKeyIds()).toEqual([record.keyId, again.record.keyId].sort());
  });
});

describe("a rotation that stays pending", () => {
  test("goes on when it comes again, with the same key", async () => {
    const { record, secret, pending } = await leavePending();
    expect(await verdict(domain, secret)).toBe("active");
    domain.advance(MINUTE_MS);
    const again = await rotateAgain(record);
    expect(again.record.keyId).toBe(pending.keyId);
    expect(again.record).not.toHaveProperty("pending");
    expect(again.old.successor).toBe(pending.keyId);
    expect([await verdict(domain, secret), await verdict(domain, String(again.secret))]).toEqual(["revoked", "active"]);
    expect(await listKeyIds()).toEqual([record.keyId, pending.keyId].sort());
  });

  test("as another rotation with its request_id is refused", async () => {
    const { record, secret } = await leavePending();
    await expect(rotateAgain(record, { overrides: { name: "other" } })).rejects.toMatchObject(USED_BEFORE);
    expect(await verdict(domain, secret)).toBe("active");
  });

  test("hinders no rotation with another request_id, and cannot commit after that", async () => {
    const { record, pending } = await leavePending();
    const other = await rotateAgain(record, { requestId: "other" });
    expect(other.record.keyId).not.toBe(pending.keyId);
    await expect(rotateAgain(record)).rejects.toMatchObject({
      reason: "KEY_NOT_ACTIVE",
      message: "the key is revoked, and cannot be rotated",
    });
    domain.advance(MINUTE_MS + 1);
    expect(await sweep(domain)).toMatchObject({ pendingCompleted: 0, pendingRemoved: 1, errors: [] });
    expect(await listKeyIds()).toEqual([record.keyId, other.record.keyId].sort());
  });

  test("until nobody can have its secret waits for the sweeper, and works after it", async () => {
    const { record, secret, pending } = await leavePending();
    domain.advance(SECRET_AGE_MS);
    await expect(rotateAgain(record)).rejects.toMatchObject(CONCURRENT_CHANGE);
    expect(await verdict(domain, secret)).toBe("active");

    expect(await sweep(domain)).toMatchObject({ pendingCompleted: 0, pendingRemoved: 1, errors: [] });
    const again = await rotateAgain(record);
    expect(again.record.keyId).not.toBe(pending.keyId);
    expect([await verdict(domain, secret), await verdict(domain, String(again.secret))]).toEqual(["revoked", "active"]);
    expect(await rotateAgain(record)).toEqual(again);
    expect(await listKeyIds()).toEqual([record.keyId, again.record.keyId].sort());
  });

  test("is begun anew when its old key was changed meanwhile", async () => {
    const { record, pending } = await leavePending();
    await updateKey(domain, { ...record, attributes: { name: "changed" }, path: "" });
    const again = await rotateAgain(record);
    expect(again.record.keyId).not.toBe(pending.keyId);
    expect(again.record.name).toBe("changed");
    domain.advance(MINUTE_MS + 1);
    expect(await sweep(domain)).toMatchObject({ pendingCompleted: 0, pendingRemoved: 1, errors: [] });
    expect(await rotateAgain(record)).toEqual(again);
    expect(await listKeyIds()).toEqual([record.keyId, again.record.keyId].sort());
  });

  test("and loses to a change at each of several attempts leaves one key, the old one", async () => {
    const { record, secret } = await issue(domain);
    const meddling = withMethods(domain.store, {
      insert: async (next) => {
        const result = await domain.store.insert(next);
        await updateKey(domain, { ...record, attributes: { name: "changed meanwhile" }, path: "" });
        return result;
      },
    });
    for (let attempt = 0; attempt < 3; attempt++) {
      const context = { ...domain, store: meddling };
      await expect(rotateAgain(record, {}, context)).rejects.toMatchObject(CONCURRENT_CHANGE);
    }
    expect(await listKeyIds()).toEqual([record.keyId]);
    expect(await verdict(domain, secret)).toBe("active");
    const { secret: next } = await rotateAgain(record);
    expect(await verdict(domain, String(next))).toBe("active");
  });
});
