import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { KeyUses } from "../../src/domain/key-uses.js";
import { selfRevokeKey } from "../../src/domain/self-revoke-key.js";
import { verifyKey, verifyKeys } from "../../src/domain/verify-key.js";
import { ServiceError } from "../../src/errors.js";
import type { KeyStore, KeyUse } from "../../src/store/key-store.js";
import { createFixture, derive, type Fixture, issue, tenantId } from "./fixture.js";

const FULL = 1_000;
const MOST = 10_000;

/** Keeps what it is told, or fails. */
class Uses implements Pick<KeyStore, "recordUses"> {
  readonly calls: (readonly KeyUse[])[] = [];
  failure: ServiceError | undefined;

  async recordUses(uses: readonly KeyUse[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push(uses);
  }
}

describe("KeyUses", () => {
  let stored: Uses;
  let errors: unknown[];
  let uses: KeyUses;
  const at = (index: number) => new Date(index);
  const keyIdsOf = (call: readonly KeyUse[] | undefined) => call?.map(({ keyId }) => keyId);
  const noteMany = (count: number, from = 0) => {
    for (let index = from; index < from + count; index++) uses.note({ tenantId, keyId: `key-${index}` }, at(index));
  };

  beforeEach(() => {
    jest.useFakeTimers();
    stored = new Uses();
    errors = [];
    uses = new KeyUses(stored as unknown as KeyStore, (error) => errors.push(error));
  });
  afterEach(async () => {
    await uses.close();
    jest.useRealTimers();
  });

  test("writes each key's last use every thirty seconds, and nothing when there was none", async () => {
    await jest.advanceTimersByTimeAsync(60_000);
    noteMany(2);
    uses.note({ tenantId, keyId: "key-0" }, at(7));
    await jest.advanceTimersByTimeAsync(29_999);
    expect(stored.calls).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(stored.calls).toEqual([
      [
        { tenantId, keyId: "key-0", time: at(7) },
        { tenantId, keyId: "key-1", time: at(1) },
      ],
    ]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(stored.calls).toHaveLength(1);
  });

  test("keeps the keys of two tenants apart", async () => {
    uses.note({ tenantId: "a", keyId: "k" }, at(1));
    uses.note({ tenantId: "b", keyId: "k" }, at(2));
    await uses.close();
    expect(stored.calls).toEqual([
      [
        { tenantId: "a", keyId: "k", time: at(1) },
        { tenantId: "b", keyId: "k", time: at(2) },
      ],
    ]);
  });

  test("does not wait when there are a thousand", async () => {
    noteMany(FULL - 1);
    await jest.advanceTimersByTimeAsync(0);
    expect(stored.calls).toEqual([]);
    noteMany(1, FULL - 1);
    await jest.advanceTimersByTimeAsync(0);
    expect(stored.calls.map((call) => call.length)).toEqual([FULL]);
  });

  test("goes on with what came while it wrote, when that is as much again", async () => {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const { recordUses } = stored;
    stored.recordUses = async (some) => {
      await recordUses.call(stored, some);
      if (stored.calls.length === 1) await promise;
    };
    noteMany(FULL);
    noteMany(FULL + 500, FULL);
    await jest.advanceTimersByTimeAsync(0);
    expect(stored.calls.map((call) => call.length)).toEqual([FULL]);
    resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(stored.calls.map((call) => call.length)).toEqual([FULL, FULL, 500]);
  });

  test("writes what is left when it closes", async () => {
    noteMany(3);
    await uses.close();
    expect(stored.calls.map(keyIdsOf)).toEqual([["key-0", "key-1", "key-2"]]);
  });

  test("tries again what could not be written, without older times over newer ones", async () => {
    stored.failure = new ServiceError("UNAVAILABLE", "the key store cannot be reached");
    noteMany(2);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(errors).toEqual([stored.failure]);
    uses.note({ tenantId, keyId: "key-1" }, at(9));
    stored.failure = undefined;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(stored.calls.map((call) => Object.fromEntries(call.map(({ keyId, time }) => [keyId, time])))).toEqual([
      { "key-0": at(0), "key-1": at(9) },
    ]);
  });

  test("remembers a bounded number of keys while it cannot write", async () => {
    stored.failure = new ServiceError("UNAVAILABLE", "the key store cannot be reached");
    noteMany(MOST + 500);
    uses.note({ tenantId, keyId: "key-3" }, at(77));
    await jest.advanceTimersByTimeAsync(30_000);
    noteMany(500, 2 * MOST);
    stored.failure = undefined;
    await jest.advanceTimersByTimeAsync(30_000);
    const written = stored.calls.flat();
    expect(written).toHaveLength(MOST);
    expect(stored.calls.every((call) => call.length <= FULL)).toBe(true);
    expect(written.find(({ keyId }) => keyId === "key-3")?.time).toEqual(at(77));
  });
});

describe("a use", () => {
  let domain: Fixture;
  let noted: string[];
  beforeEach(async () => {
    domain = await createFixture();
    noted = [];
    const { keyUses } = domain;
    jest.spyOn(keyUses, "note").mockImplementation(({ keyId }, time) => {
      expect(time).toEqual(domain.clock());
      noted.push(keyId);
    });
  });
  afterEach(() => domain.dispose());

  const verify = (credential: string) => verifyKey(domain, { tenantId, credential, clientAddress: undefined });

  test("is a credential that is good: a key, a token made from it, and each of a batch", async () => {
    const { record, secret } = await issue(domain);
    await verify(secret);
    const { token } = await derive(domain, { credential: secret });
    await verify(token);
    const inputs = [secret, "unknown", token].map((credential) => ({ tenantId, credential, clientAddress: undefined }));
    await verifyKeys(domain, tenantId, inputs);
    const { keyId } = record;
    expect(noted).toEqual([keyId, keyId, keyId, keyId, keyId]);
  });

  test("is none that is refused, and no self-revocation", async () => {
    const { secret } = await issue(domain, { ttlMs: 1_000 });
    domain.advance(1_000);
    await verify(secret);
    await verify("unknown");
    const revoked = await issue(domain);
    await selfRevokeKey(domain, {
      tenantId,
      credential: revoked.secret,
      reason: "unspecified",
      clientAddress: undefined,
    });
    await verify(revoked.secret);
    expect(noted).toEqual([]);
  });
});
