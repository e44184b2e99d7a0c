/** What only REST's JSON has: more ways to write the same, and masks that are made from a body. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { BatchImportAnswer, KeyJson, TokenJson } from "./api.js";
import { bearer } from "./clients/api-client.js";
import { startTestServer, type TestServer } from "./server.js";

const KEYS = "/v2alpha1/admin/issuedApiKeys";
const IMPORTED = "/v2alpha1/admin/importedApiKeys";
const DERIVE = "/v2alpha1/admin/apiKeys:derive";
const MS_PER_DAY = 86_400_000;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function send<T>(method: string, path: string, body?: object): Promise<{ status: number; json: T }> {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...bearer(server.tokens.admin), "content-type": "application/json; charset=utf-8" },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as T };
}

async function issue(fields: object = {}): Promise<KeyJson> {
  const { json } = await send<{ issued_api_key: KeyJson }>("POST", KEYS, { name: "n", actor_id: "a", ...fields });
  return json.issued_api_key;
}

const FULL = {
  scopes: ["a"],
  metadata: { team: "blue" },
  rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
  ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] },
};

describe("durations", () => {
  test.each([
    ["86400s", 1],
    ["24h", 1],
    ["1d", 1],
    ["1w", 7],
    ["1mo", 30],
    ["1y", 365],
    ["1y6mo", 545],
    ["1.5d", 1.5],
    ["23h59m60s", 1],
    ["86400000ms", 1],
  ])("a ttl of %s", async (ttl, days) => {
    const key = await issue({ ttl });
    expect(Date.parse(key.expire_time ?? "") - Date.parse(key.create_time)).toBe(days * MS_PER_DAY);
  });
});

test("names in camelCase, enums by number, and numbers without quotes are taken", async () => {
  const key = await send<{ issued_api_key: KeyJson }>("POST", KEYS, {
    name: "n",
    actorId: "a",
    visibility: 1,
    rateLimitPolicy: { quota: 10, window: "1m" },
    ipRestriction: { allowedCidrs: ["10.0.0.0/8"] },
  });
  expect(key).toMatchObject({
    status: 201,
    json: {
      issued_api_key: {
        actor_id: "a",
        visibility: "KEY_VISIBILITY_SECRET",
        rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
        ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] },
      },
    },
  });
});

describe("PATCH", () => {
  test.each([
    ["bare", (resource: object) => resource],
    ["wrapped", (resource: object) => ({ issued_api_key: resource })],
  ])("changes what the %s resource names, even when it is empty there", async (_, wrap) => {
    const key = await issue(FULL);
    const { status, json } = await send<KeyJson>(
      "PATCH",
      `${KEYS}/${key.key_id}`,
      wrap({ scopes: [], metadata: null }),
    );
    const { metadata: _cleared, ...kept } = key;
    expect(status).toBe(200);
    expect(json).toEqual({ ...kept, scopes: [], update_time: json.update_time });
  });

  test("takes back what GET answered, edited", async () => {
    const key = await issue(FULL);
    const { json: read } = await send<KeyJson>("GET", `${KEYS}/${key.key_id}`);
    const { json } = await send<KeyJson>("PATCH", `${KEYS}/${key.key_id}`, { ...read, name: "edited" });
    expect(json).toEqual({ ...key, name: "edited", update_time: json.update_time });
  });

  test("goes by the mask of the query, in either spelling", async () => {
    for (const mask of ["scopes,ip_restriction", "scopes,ipRestriction"]) {
      const key = await issue(FULL);
      const path = `${KEYS}/${key.key_id}?update_mask=${mask}`;
      const { json } = await send<KeyJson>("PATCH", path, { name: "not in the mask", scopes: ["b"] });
      const { ip_restriction: _cleared, ...kept } = key;
      expect(json).toEqual({ ...kept, scopes: ["b"], update_time: json.update_time });
    }
  });

  test("goes by the path's key id, whatever the body says", async () => {
    const [one, other] = [await issue(), await issue()];
    await send("PATCH", `${KEYS}/${one.key_id}`, { key_id: other.key_id, name: "changed" });
    expect((await send<KeyJson>("GET", `${KEYS}/${one.key_id}`)).json.name).toBe("changed");
    expect((await send<KeyJson>("GET", `${KEYS}/${other.key_id}`)).json).toEqual(other);
  });

  test("with nothing in the body changes nothing", async () => {
    const key = await issue(FULL);
    expect(await send<KeyJson>("PATCH", `${KEYS}/${key.key_id}`, {})).toEqual({ status: 200, json: key });
  });
});

test("rotation overrides what the body names, even when it is empty there", async () => {
  const key = await issue(FULL);
  const path = `${KEYS}/${key.key_id}:rotate`;
  const body = { scopes: [], metadata: null, grace_period: "1d" };
  const { status, json } = await send<{ issued_api_key: KeyJson }>("POST", path, body);
  expect(status).toBe(201);
  expect(json.issued_api_key).toMatchObject({
    scopes: [],
    rate_limit_policy: FULL.rate_limit_policy,
    ip_restriction: FULL.ip_restriction,
  });
  expect(json.issued_api_key.metadata).toBeUndefined();
});

describe("imported keys", () => {
  const rawKey = () => `legacy-${randomUUID()}`;
  const importKey = async (fields: object = {}) => {
    const body = { raw_key: rawKey(), name: "n", actor_id: "a", ...fields };
    return (await send<KeyJson>("POST", IMPORTED, body)).json;
  };

  test.each([":batchImport", ":batchCreate"])("several at a time through %s", async (verb) => {
    const good = { rawKey: rawKey(), name: "n", actorId: "a", ttl: "1d" };
    const { status, json } = await send<BatchImportAnswer>("POST", IMPORTED + verb, {
      requests: [good, { ...good, ttl: "1.5ns" }],
    });
    expect([status, json]).toEqual([
      400,
      expect.objectContaining({
        error: expect.objectContaining({ message: expect.stringMatching(/^requests\[1\]\.ttl: /) }),
      }),
    ]);
    const imported = await send<BatchImportAnswer>("POST", IMPORTED + verb, { requests: [good, good] });
    expect(imported).toMatchObject({
      status: 200,
      json: {
        results: [
          {
            index: 0,
            imported_api_key: { name: "n" },
            error_code: "BATCH_IMPORT_ERROR_UNSPECIFIED",
            error_message: "",
          },
          { index: 1, error_code: "BATCH_IMPORT_ERROR_ALREADY_EXISTS" },
        ],
        success_count: 1,
        failure_count: 1,
      },
    });
  });

  test("a batch of 3 MiB is taken, one of more than 4 MiB is not", async () => {
    const requests = (count: number) =>
      Array.from({ length: count }, () => ({ raw_key: rawKey().padEnd(8192, "x"), name: "n", actor_id: "a" }));
    const { status, json } = await send<BatchImportAnswer>("POST", `${IMPORTED}:batchImport`, {
      requests: requests(380),
    });
    expect([status, json.success_count]).toEqual([200, 380]);
    const refused = await send("POST", `${IMPORTED}:batchImport`, { requests: requests(520) });
    expect(refused).toMatchObject({
      status: 413,
      json: { error: { message: "the body must be at most 4194304 bytes" } },
    });
  });

  test("DELETE answers 200 with an empty object", async () => {
    const { key_id } = await importKey();
    expect(await send("DELETE", `${IMPORTED}/${key_id}`)).toEqual({ status: 200, json: {} });
    expect((await send("DELETE", `${IMPORTED}/${key_id}`)).status).toBe(404);
    expect((await send("DELETE", `${KEYS}/${(await issue()).key_id}`)).status).toBe(405);
  });

  test.each([
    ["bare", (resource: object) => resource],
    ["wrapped", (resource: object) => ({ imported_api_key: resource })],
  ])("PATCH changes what the %s resource names, even when it is empty there", async (_, wrap) => {
    const key = await importKey(FULL);
    const { json } = await send<KeyJson>("PATCH", `${IMPORTED}/${key.key_id}`, wrap({ scopes: [], metadata: null }));
    const { metadata: _cleared, ...kept } = key;
    expect(json).toEqual({ ...kept, scopes: [], update_time: json.update_time });
    const back = await send<KeyJson>("PATCH", `${IMPORTED}/${key.key_id}`, wrap({ ...json, name: "edited" }));
    expect(back.json).toEqual({ ...json, name: "edited", update_time: back.json.update_time });
  });

  test.each(["apiKeys", "importedApiKeys"])("are revoked through %s, and not through issuedApiKeys", async (path) => {
    const { key_id } = await importKey();
    const revoke = (collection: string) => send("POST", `/v2alpha1/admin/${collection}/${key_id}:revoke`, {});
    expect((await revoke("issuedApiKeys")).status).toBe(404);
    expect(await revoke(path)).toEqual({ status: 200, json: {} });
    expect((await send<KeyJson>("GET", `${IMPORTED}/${key_id}`)).json.status).toBe("KEY_STATUS_REVOKED");
  });
});

describe("derive", () => {
  test("takes other durations, camelCase and numbers of enums, and claims of any JSON", async () => {
    const { json } = await send<{ secret: string }>("POST", KEYS, { name: "n", actor_id: "a" });
    const body = { credential: json.secret, algorithm: 2, ttl: "1h30m", customClaims: { a: [null, { b: 1.5 }] } };
    const derived = await send<{ token: TokenJson }>("POST", DERIVE, body);
    const { claims, token } = derived.json.token;
    expect([derived.status, token.slice(0, 6)]).toEqual([200, "mc_v1_"]);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(5400);
    expect(claims.a).toEqual([null, { b: 1.5 }]);
  });

  test.each([
    ['"algorithm":"HS256"', "algorithm"],
    ['"algorithm":3', "algorithm"],
    ['"custom_claims":[]', "custom_claims"],
    ['"custom_claims":{"a":1e400}', "custom_claims"],
    ['"custom_claims":{"__proto__":1}', "custom_claims"],
    ['"scopes":"a"', "scopes"],
    ['"ttl":"soon"', "ttl"],
    ['"client_ip":"localhost"', "client_ip"],
  ])("names the field that is wrong in {%s}", async (fields, field) => {
    const { json } = await send<{ secret: string }>("POST", KEYS, { name: "n", actor_id: "a" });
    const response = await fetch(server.url + DERIVE, {
      method: "POST",
      headers: { ...bearer(server.tokens.admin), "content-type": "application/json" },
      body: `{"credential":${JSON.stringify(json.secret)},${fields}}`,
    });
    const { error } = (await response.json()) as { error: { message: string } };
    expect([response.status, error.message.split(":")[0]]).toEqual([400, field]);
  });
});

test("a holder revokes a key without any header but the content type", async () => {
  const { json } = await send<{ secret: string }>("POST", KEYS, { name: "n", actor_id: "a" });
  const response = await fetch(`${server.url}/v2alpha1/apiKeys:selfRevoke`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ credential: json.secret }),
  });
  expect([response.status, await response.json()]).toEqual([200, {}]);
});

test("answers say that nobody may keep or reinterpret them", async () => {
  const response = await fetch(server.url + KEYS, { headers: bearer(server.tokens.admin) });
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
});
