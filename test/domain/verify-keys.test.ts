import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { formatIssuedKey, SECRET_BYTES } from "../../src/credentials/issued-key.js";
import type { DomainContext } from "../../src/domain/context.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import type { Verification } from "../../src/domain/verification.js";
import { type VerifyKeyInput, verifyKey, verifyKeys } from "../../src/domain/verify-key.js";
import { ServiceError } from "../../src/errors.js";
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
} from "./fixture.js";
import { withFaults } from "./with-faults.js";
import { withMethods } from "./with-methods.js";

const OTHER_TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function inputsOf(credentials: readonly string[], clientAddress?: string): VerifyKeyInput[] {
  return credentials.map((credential) => ({ tenantId, credential, clientAddress }));
}

function verifyAll(context: DomainContext, credentials: readonly string[]): Promise<(Verification | ServiceError)[]> {
  return verifyKeys(context, tenantId, inputsOf(credentials));
}

function verdicts(items: readonly (Verification | ServiceError)[]): string[] {
  return items.map((item) => {
    if (item instanceof ServiceError) return item.reason;
    return item.valid ? "active" : item.failure;
  });
}

describe("several credentials", () => {
  test("are judged in their order, as each would be alone, with one read of the store", async () => {
    const { record, secret } = await issue(domain, { scopes: ["read"] });
    const revoked = await issue(domain);
    await revokeKey(domain, { ...revoked.record, reason: "unspecified", description: "" });
    const restricted = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    await importRaw(domain, { rawKey: "sk_live_1" });
    const { token: jwt } = await derive(domain, { credential: secret });
    const { token: macaroon } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const { token: foreign } = await derive({ ...domain, secrets: createSecrets() }, { credential: secret });
    const wrongSecret = formatIssuedKey({ prefix: "lk", keyId: record.keyId, secret: Buffer.alloc(32, 7) });
    const unknown = formatIssuedKey({ prefix: "lk", keyId: OTHER_TENANT, secret: Buffer.alloc(32, 7) });
    const expected: [credential: string, verdict: string][] = [
      ["nothing known", "not_found"],
      [secret, "active"],
      [revoked.secret, "revoked"],
      [foreign, "signature_invalid"],
      [restricted.secret, "ip_not_allowed"],
      ["sk_live_1", "active"],
      [jwt, "active"],
      [wrongSecret, "not_found"],
      [unknown, "not_found"],
      [secret, "active"],
      ["mc_v1_nonsense", "invalid_format"],
      [macaroon, "active"],
      [addCaveatTo(macaroon, "role = admin"), "permits_nothing"],
      [secret.slice(0, -1), "invalid_format"],
      ["sk_live_1", "active"],
    ];
    const credentials = expected.map(([credential]) => credential);

    const { store, count } = countCalls(domain.store);
    const verifications = await verifyAll({ ...domain, store }, credentials);
    expect(verdicts(verifications)).toEqual(expected.map(([, verdict]) => verdict));
    expect([count("readManyForVerification"), count("read")]).toEqual([1, 0]);
    expect(verifications).toEqual(await Promise.all(inputsOf(credentials).map((input) => verifyKey(domain, input))));
  });

  test("ask the store for each key once", async () => {
    const { record, secret } = await issue(domain);
    const { token } = await derive(domain, { credential: secret });
    const asked: (readonly string[])[] = [];
    const store = withMethods(domain.store, {
      readManyForVerification: (tenant, keyIds) => {
        asked.push(keyIds);
        return domain.store.readMany(tenant, keyIds);
      },
    });
    expect(verdicts(await verifyAll({ ...domain, store }, [secret, token, secret]))).toEqual(Array(3).fill("active"));
    expect(asked).toEqual([[record.keyId]]);
  });

  test("are refused in their place when they are no credentials", async () => {
    const { secret } = await issue(domain);
    const credentials = ["", secret, "x".repeat(16_385)];
    expect(verdicts(await verifyAll(domain, credentials))).toEqual([
      "CREDENTIAL_REQUIRED",
      "active",
      "INVALID_ARGUMENT",
    ]);
  });

  test("are judged each from its own address", async () => {
    const { secret } = await issue(domain, { allowedCidrs: ["10.0.0.0/8"] });
    const from = ["10.0.0.1", "192.0.2.1", undefined].map((clientAddress) => ({
      tenantId,
      credential: secret,
      clientAddress,
    }));
    expect(verdicts(await verifyKeys(domain, tenantId, from))).toEqual(["active", "ip_not_allowed", "ip_not_allowed"]);
  });

  test("that are none are answered with none", async () => {
    expect(await verifyAll(domain, [])).toEqual([]);
  });

  test("are refused together when the store cannot be read", async () => {
    const unavailable = new ServiceError("UNAVAILABLE", "the store does not answer");
    const store = withMethods(domain.store, { readManyForVerification: () => Promise.reject(unavailable) });
    await expect(verifyAll({ ...domain, store }, ["x"])).rejects.toBe(unavailable);
  });
});

describe("a pending key among them", () => {
  const rotation = { overrides: {}, gracePeriodMs: 0 };

  test("is good when its rotation committed, and settled by that", async () => {
    const { record, secret: old } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", ["none", "lost before it was applied"]);
    const { record: successor, secret } = await rotate({ ...domain, store }, { ...record, ...rotation });
    expect((await domain.store.read(successor))?.pending).toBeDefined();

    expect(verdicts(await verifyAll(domain, [secret, old, secret]))).toEqual(["active", "revoked", "active"]);
    expect((await domain.store.read(successor))?.pending).toBeUndefined();
  });

  test("is not there while its rotation has not committed, also to who has its secret", async () => {
    const { record, secret: old } = await issue(domain);
    const drawn: Uint8Array[] = [];
    const randomBytes = (length: number) => {
      drawn.push(domain.randomBytes(length));
      return drawn.at(-1) ?? new Uint8Array();
    };
    const seen: string[][] = [];
    const store = withMethods(domain.store, {
      insert: async (next) => {
        const result = await domain.store.insert(next);
        const secrets = drawn.filter(({ length }) => length === SECRET_BYTES);
        const pending = secrets.map((secret) => formatIssuedKey({ prefix: "lk", keyId: next.keyId, secret }));
        seen.push(pending, verdicts(await verifyAll(domain, [...pending, old])));
        return result;
      },
    });
    const { secret } = await rotate({ ...domain, store, randomBytes }, { ...record, ...rotation });
    expect(seen[0]).toContain(secret);
    expect(seen[1]).toEqual([...(seen[0] ?? []).map(() => "not_found"), "active"]);
  });
});
