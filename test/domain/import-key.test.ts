import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { importedKeyId } from "../../src/credentials/imported-key.js";
import { formatIssuedKey } from "../../src/credentials/issued-key.js";
import { deleteImportedKey } from "../../src/domain/delete-key.js";
import { getKey } from "../../src/domain/get-key.js";
import { type ImportOutcome, importKeys } from "../../src/domain/import-key.js";
import { rotateKey } from "../../src/domain/rotate-key.js";
import { updateKey } from "../../src/domain/update-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { ServiceError } from "../../src/errors.js";
import { countCalls } from "./count-calls.js";
import {
  createFixture,
  derive,
  type Fixture,
  importInput,
  importRaw,
  issue,
  tenantId,
  verdict,
  withKeys,
} from "./fixture.js";
import { recordHolds } from "./record-holds.js";
import { withMethods } from "./with-methods.js";

const MINUTE_MS = 60_000;
const OTHER_TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";
const RAW_KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
const KEY_NOT_FOUND = { reason: "API_KEY_NOT_FOUND", message: "API key not found" };

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function existsError(rawKey: string) {
  return {
    reason: "API_KEY_EXISTS",
    message: "a key with this raw key was imported before",
    metadata: { key_id: importedKeyId(domain.secrets.pepper, tenantId, rawKey) },
  };
}

describe("an imported key", () => {
  test("verifies by its raw key, with what was said at the import", async () => {
    const record = await importRaw(domain, {
      rawKey: RAW_KEY,
      scopes: ["read"],
      metadata: { team: "a" },
      rateLimitPolicy: { quota: 5n, windowMs: 1_000, unit: "" },
      ttlMs: MINUTE_MS,
    });
    const now = domain.clock();
    expect(record).toEqual({
      tenantId,
      keyId: importedKeyId(domain.secrets.pepper, tenantId, RAW_KEY),
      kind: "imported",
      version: 1,
      name: "demo",
      actorId: "me",
      scopes: ["read"],
      visibility: "secret",
      metadata: { team: "a" },
      rateLimitPolicy: { quota: 5n, windowMs: 1_000, unit: "requests" },
      createTime: now,
      updateTime: now,
      expireTime: new Date(now.getTime() + MINUTE_MS),
      listed: { status: "active", until: new Date(now.getTime() + MINUTE_MS) },
      deriveSeed: expect.any(Uint8Array),
    });
    expect(record.deriveSeed).toHaveLength(32);
    const verification = await verifyKey(domain, { tenantId, credential: RAW_KEY, clientAddress: undefined });
    expect(verification).toEqual({ valid: true, record });
  });

  test("leaves nothing of its raw key in the store", async () => {
    const { keyId } = await importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1", name: "billing" });
    const stored = await domain.store.read({ tenantId, keyId });
    expect(recordHolds(stored, "billing")).toBe(true);
    expect(recordHolds(stored, RAW_KEY)).toBe(false);
    expect(stored).not.toHaveProperty("secretHash");
    const json = JSON.stringify(stored);
    for (const encoding of ["utf8", "hex", "base64", "base64url"] as const) {
      expect(json).not.toContain(Buffer.from(RAW_KEY).toString(encoding));
    }
  });

  test("is held to its expiry and its networks as any key", async () => {
    await importRaw(domain, { rawKey: RAW_KEY, allowedCidrs: ["10.0.0.0/8"], ttlMs: MINUTE_MS });
    expect(await verdict(domain, RAW_KEY, "10.0.0.1")).toBe("active");
    expect(await verdict(domain, RAW_KEY, "192.0.2.1")).toBe("ip_not_allowed");
    domain.advance(MINUTE_MS);
    expect(await verdict(domain, RAW_KEY, "10.0.0.1")).toBe("expired");
  });

  test("is of one tenant: another one may import the same", async () => {
    const record = await importRaw(domain, { rawKey: RAW_KEY });
    const elsewhere = { tenantId: OTHER_TENANT, credential: RAW_KEY, clientAddress: undefined };
    expect(await verifyKey(domain, elsewhere)).toEqual({ valid: false, failure: "not_found" });
    const other = await importRaw(domain, { rawKey: RAW_KEY, tenantId: OTHER_TENANT });
    expect(other.keyId).not.toBe(record.keyId);
    expect(await verifyKey(domain, elsewhere)).toEqual({ valid: true, record: other });
  });

  test("is imported once: a second import is refused, and changes nothing", async () => {
    const record = await importRaw(domain, { rawKey: RAW_KEY });
    await expect(importRaw(domain, { rawKey: RAW_KEY, name: "other" })).rejects.toMatchObject(existsError(RAW_KEY));
    expect(await getKey(domain, record, "imported")).toEqual(record);
  });

  test("is imported once by many at the same time", async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => importRaw(domain, { rawKey: RAW_KEY, name: `name ${index}` })),
    );
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected") expect(attempt.reason).toMatchObject(existsError(RAW_KEY));
    }
  });

  test("is not rotated: its secret is made elsewhere", async () => {
    const record = await importRaw(domain);
    const rotation = { ...record, overrides: {}, gracePeriodMs: 0, caller: "test", requestId: "" };
    await expect(rotateKey(domain, rotation)).rejects.toMatchObject(KEY_NOT_FOUND);
  });
});

describe("the deletion of an imported key", () => {
  test("makes it unknown, and it may be imported again", async () => {
    const record = await importRaw(domain, { rawKey: RAW_KEY });
    await deleteImportedKey(domain, record);
    expect(await verdict(domain, RAW_KEY)).toBe("not_found");
    await expect(getKey(domain, record, "imported")).rejects.toMatchObject(KEY_NOT_FOUND);
    await expect(deleteImportedKey(domain, record)).rejects.toMatchObject(KEY_NOT_FOUND);

    const again = await importRaw(domain, { rawKey: RAW_KEY, name: "again" });
    expect(again).toMatchObject({ keyId: record.keyId, name: "again", version: 3 });
    expect(again.deriveSeed).not.toEqual(record.deriveSeed);
    expect(await verdict(domain, RAW_KEY)).toBe("active");
  });

  test("takes imported keys only", async () => {
    const { record, secret } = await issue(domain);
    await expect(deleteImportedKey(domain, record)).rejects.toMatchObject(KEY_NOT_FOUND);
    expect(await verdict(domain, secret)).toBe("active");
  });

  test("does not lose to updates that race with it", async () => {
    const record = await importRaw(domain, { rawKey: RAW_KEY });
    const updates = Array.from({ length: 5 }, (_, index) =>
      updateKey(domain, { ...record, attributes: { name: `name ${index}` }, path: "" }).catch((error) => error),
    );
    await deleteImportedKey(domain, record);
    await Promise.all(updates);
    expect(await verdict(domain, RAW_KEY)).toBe("not_found");
  });

  test("gives up when it meets an update each time", async () => {
    const record = await importRaw(domain, { rawKey: RAW_KEY });
    const { store, count } = countCalls(withMethods(domain.store, { delete: async () => false }));
    await expect(deleteImportedKey({ ...domain, store }, record)).rejects.toMatchObject({
      reason: "CONCURRENT_CHANGE",
      message: "the key was changed by another request at the same time; try again",
    });
    expect(count("delete")).toBe(10);
    expect(await verdict(domain, RAW_KEY)).toBe("active");
  });
});

/** What an import with this raw key is refused with. */
function importOf(rawKey: string) {
  return importRaw(domain, { rawKey });
}

describe("a raw key", () => {
  test.each([
    ["that is empty", "", "raw_key: is required"],
    ["of more than 8192 bytes", "x".repeat(8_193), "raw_key: must be at most 8192 bytes"],
    ["of fewer characters, but more bytes", "é".repeat(4_097), "raw_key: must be at most 8192 bytes"],
    ["that is not well-formed", "key \ud800", "raw_key: must be well-formed Unicode"],
  ])("%s is refused", async (_, rawKey, message) => {
    await expect(importOf(rawKey)).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message,
      fields: [{ field: "raw_key", description: message.slice("raw_key: ".length) }],
    });
  });

  test("that would be taken for a credential of our own is refused", async () => {
    const context = { ...domain, ...withKeys({ publicPrefix: "pk", retiredPrefixes: ["old"] }) };
    const key = { keyId: OTHER_TENANT, secret: Buffer.alloc(32, 1) };
    const { secret } = await issue(domain);
    const { token: jwt } = await derive(domain, { credential: secret });
    const { token: macaroon } = await derive(domain, { credential: secret, algorithm: "macaroon" });
    const formatted = ["lk", "pk", "old"].map((prefix) => formatIssuedKey({ ...key, prefix }));
    for (const rawKey of [secret, ...formatted, jwt, "e30.e30.", macaroon, "mc_v1_", "mc_v1_anything"]) {
      await expect(importRaw(context, { rawKey })).rejects.toMatchObject({
        reason: "INVALID_ARGUMENT",
        message: "raw_key: has the form of a token or of a key that this service issues",
      });
    }
  });

  test("of any other form is imported, and verifies", async () => {
    const foreign = formatIssuedKey({ prefix: "sk", keyId: OTHER_TENANT, secret: Buffer.alloc(32, 1) });
    const mistyped = `${formatIssuedKey({ prefix: "lk", keyId: OTHER_TENANT, secret: Buffer.alloc(32, 1) })}x`;
    const others = [" ", "x", "x ", "e30.e30", "e30.e30.e30.e30", "W10.e30.e30", "mc_v2_x", "ключ", "x\u0000y"];
    for (const rawKey of [foreign, mistyped, "x".repeat(8_192), ...others]) {
      expect(await verdict(domain, rawKey)).toBe(rawKey === mistyped ? "invalid_format" : "not_found");
      await importOf(rawKey);
      expect(await verdict(domain, rawKey)).toBe("active");
    }
  });
});

describe("an import", () => {
  test("is told every mistake at once", async () => {
    const mistakes = { rawKey: "", actorId: "", name: "", visibility: "public" as const, ttlMs: 1, scopes: ["a b"] };
    await expect(importRaw(domain, mistakes)).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: [
        "raw_key: is required",
        "actor_id: is required",
        "name: is required",
        "scopes[0]: must be 1 to 255 printable characters without spaces",
        "visibility: KEY_VISIBILITY_PUBLIC is for issued keys only",
        "ttl: must be 1s to 315360000s, or 0s for the default",
      ].join("; "),
    });
  });

  test("that comes again with its request_id is answered with the same key", async () => {
    const input = { rawKey: RAW_KEY, requestId: "r-1", metadata: { a: 1, b: 2 } };
    const record = await importRaw(domain, input);
    domain.advance(24 * 60 * MINUTE_MS);
    expect(await importRaw(domain, { ...input, metadata: { b: 2, a: 1 } })).toEqual(record);
  });

  test("that comes again eight times at once makes one key", async () => {
    const input = { rawKey: RAW_KEY, requestId: "r-1" };
    const records = await Promise.all(Array.from({ length: 8 }, () => importRaw(domain, input)));
    expect(new Set(records.map(({ deriveSeed }) => Buffer.from(deriveSeed).toString("hex"))).size).toBe(1);
  });

  test("with the request_id of another import of the same raw key is refused", async () => {
    await importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1" });
    await expect(importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1", name: "other" })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "request_id: was used before, for another request",
    });
  });

  test.each([
    ["with another request_id", { requestId: "r-2" }],
    ["without a request_id", { requestId: "" }],
    ["by another caller", { caller: "other" }],
  ])("%s is another import, and the key exists", async (_, other) => {
    await importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1" });
    const again = importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1", ...other });
    await expect(again).rejects.toMatchObject(existsError(RAW_KEY));
  });

  test("with a request_id of a key that was imported without one is refused", async () => {
    await importRaw(domain, { rawKey: RAW_KEY });
    await expect(importRaw(domain, { rawKey: RAW_KEY, requestId: "r-1" })).rejects.toMatchObject(existsError(RAW_KEY));
  });

  test("with a request_id of more than 36 characters is refused", async () => {
    await expect(importRaw(domain, { requestId: "é".repeat(37) })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "request_id: must be at most 36 characters",
    });
    await importRaw(domain, { requestId: "é".repeat(36) });
  });
});

/** The name of a key that was imported, or why it was not. */
function resultOf(outcome: ImportOutcome): string {
  return outcome instanceof ServiceError ? `${outcome.reason}: ${outcome.message}` : outcome.name;
}

describe("several imports", () => {
  const EXISTS = "API_KEY_EXISTS: a key with this raw key was imported before";

  test("are answered in their order, each by itself, after one write", async () => {
    await importRaw(domain, { rawKey: "stored" });
    await importRaw(domain, { rawKey: "repeated", requestId: "r-1", name: "repeated" });
    const { store, count } = countCalls(domain.store);
    const inputs = [
      { rawKey: "first", name: "first" },
      { rawKey: "stored", name: "in the store" },
      { rawKey: "twice", name: "twice" },
      { rawKey: "", name: "without a raw key" },
      { rawKey: "twice", name: "twice, again" },
      { rawKey: "repeated", requestId: "r-1", name: "repeated" },
      { rawKey: "mc_v1_x", name: "a macaroon" },
      { rawKey: "pair", requestId: "r-2", name: "pair" },
      { rawKey: "pair", requestId: "r-2", name: "pair" },
      { rawKey: "pair", requestId: "r-2", name: "another pair" },
      { rawKey: "", name: "" },
      { rawKey: "last", name: "last" },
    ].map((input) => ({ ...importInput, ...input }));

    const outcomes = await importKeys({ ...domain, store }, inputs);
    expect(outcomes.map(resultOf)).toEqual([
      "first",
      EXISTS,
      "twice",
      "INVALID_ARGUMENT: raw_key: is required",
      EXISTS,
      "repeated",
      "INVALID_ARGUMENT: raw_key: has the form of a token or of a key that this service issues",
      "pair",
      "pair",
      "INVALID_ARGUMENT: request_id: was used before, for another request",
      "INVALID_ARGUMENT: raw_key: is required; name: is required",
      "last",
    ]);
    expect([count("insertMany"), count("insert")]).toEqual([1, 0]);
    for (const rawKey of ["first", "stored", "twice", "pair", "last"]) {
      expect(await verdict(domain, rawKey)).toBe("active");
    }
    const { records } = await domain.store.list({ tenantId, kind: "imported", limit: 100 });
    expect(records.map(({ name }) => name).sort()).toEqual(["demo", "first", "last", "pair", "repeated", "twice"]);
  });

  test("that are none, or all at fault, are answered too", async () => {
    expect(await importKeys(domain, [])).toEqual([]);
    const refused = await importKeys(domain, [{ ...importInput, rawKey: "" }]);
    expect(refused.map(resultOf)).toEqual(["INVALID_ARGUMENT: raw_key: is required"]);
  });

  test("are refused together when the store does not answer", async () => {
    const unavailable = new ServiceError("UNAVAILABLE", "the store does not answer");
    const refuse = () => Promise.reject(unavailable);
    const store = withMethods(domain.store, { insertMany: refuse });
    await expect(importKeys({ ...domain, store }, [importInput])).rejects.toBe(unavailable);

    const unread = withMethods(domain.store, { read: refuse });
    const repeated = { ...importInput, requestId: "r-1" };
    await importKeys(domain, [repeated]);
    await expect(importKeys({ ...domain, store: unread }, [repeated])).rejects.toBe(unavailable);
  });
});
