/** The public keys as RFC 7517 clients fetch them, and tokens as those clients check them: without this service's code. */
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { Api } from "./api.js";
import { createFetchRestClient, type HttpReply, readRefusal, sendByFetch } from "./clients/rest-client.js";
import { type SigningJwk, startTestServer, type TestServer } from "./server.js";

const PATHS = ["/v2alpha1/derivedKeys/jwks.json", "/.well-known/jwks.json"];
const CACHE_CONTROL = "public, max-age=300";

function get(server: TestServer, target: string, headers: Record<string, string> = {}): Promise<HttpReply> {
  return sendByFetch(server.url, { method: "GET", target, headers });
}

function apiOf(server: TestServer): Api {
  return new Api(createFetchRestClient(server.url), server.tokens);
}

describe("the generated set", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  test.each(PATHS)("%s shows the public part, in both forms, to everybody", async (path) => {
    const { status, headers, text } = await get(server, path);
    const { kid, x } = server.signingJwk ?? {};
    const keys = [{ kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" }];
    expect([status, JSON.parse(text)]).toEqual([200, { keys, jwks: { keys } }]);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe(CACHE_CONTROL);
    expect(headers.get("etag")).toMatch(/^"[\w-]+"$/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each(PATHS)("%s answers 304 without a body to who has it", async (path) => {
    const etag = (await get(server, path)).headers.get("etag") ?? "";
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const { status, headers, text } = await get(server, path, { "if-none-match": tags });
      expect([status, text]).toEqual([304, ""]);
      expect([headers.get("etag"), headers.get("cache-control")]).toEqual([etag, CACHE_CONTROL]);
    }
    for (const tags of ['"other"', etag.replaceAll('"', ""), ""]) {
      expect((await get(server, path, { "if-none-match": tags })).status).toBe(200);
    }
  });

  test.each(PATHS)("%s is for reading only", async (path) => {
    const reply = await sendByFetch(server.url, { method: "POST", target: path, headers: {}, body: "{}" });
    expect(readRefusal(reply)).toMatchObject({ reason: "METHOD_NOT_ALLOWED" });
    expect(reply.headers.get("allow")).toBe("GET");
  });

  test.each(PATHS)("a JWT verifies with the set at %s", async (path) => {
    const api = apiOf(server);
    const { secret } = await api.issue({ actor_id: "jose", scopes: ["a"] });
    const { token, claims } = await api.derive(secret, { custom_claims: { order: 7 } });
    const keySet = createRemoteJWKSet(new URL(server.url + path));
    const { payload, protectedHeader } = await jwtVerify(token, keySet, { issuer: "latchkey", typ: "JWT" });
    expect(payload).toEqual(claims);
    expect(protectedHeader).toEqual({ alg: "EdDSA", typ: "JWT", kid: server.signingJwk?.kid });
    await expect(jwtVerify(token, keySet, { issuer: "other" })).rejects.toThrow(errors.JWTClaimValidationFailed);
    const later = new Date((Number(claims.exp) + 1) * 1000);
    await expect(jwtVerify(token, keySet, { currentDate: later })).rejects.toThrow(errors.JWTExpired);
  });
});

describe("a configured set, of several keys", () => {
  const old = { ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }), kid: "old", use: "sig" };
  const current = {
    ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
    kid: "current",
    alg: "RS256",
  } as SigningJwk;
  let server: TestServer;

  beforeAll(async () => {
    const jwks = Buffer.from(JSON.stringify({ keys: [old, current] })).toString("base64");
    server = await startTestServer({
      env: {
        LATCHKEY_TOKENS_SIGNING_JWKS_URLS: `base64://${jwks}`,
        LATCHKEY_TOKENS_ISSUER: "https://keys.example",
        LATCHKEY_TOKENS_AUDIENCE: "orders",
      },
    });
  });
  afterAll(() => server.close());

  test("shows the public part of each", async () => {
    const { keys } = JSON.parse((await get(server, PATHS[0] ?? "")).text) as { keys: SigningJwk[] };
    expect(keys).toEqual([
      { kty: "OKP", crv: "Ed25519", x: old.x, kid: "old", use: "sig", alg: "EdDSA" },
      { kty: "RSA", n: current.n, e: "AQAB", kid: "current", use: "sig", alg: "RS256" },
    ]);
  });

  test("signs with the private one, which a stranger can check", async () => {
    const api = new Api(createFetchRestClient(server.url), server.tokens, current);
    const { secret } = await api.issue({ actor_id: "jose" });
    const { token, claims } = await api.derive(secret);
    const keySet = createRemoteJWKSet(new URL(server.url + PATHS[1]));
    const expected = { issuer: "https://keys.example", audience: "orders", algorithms: ["RS256"] };
    const { payload, protectedHeader } = await jwtVerify(token, keySet, expected);
    expect(payload).toEqual(claims);
    expect(payload).toMatchObject({ iss: "https://keys.example", aud: "orders" });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "JWT", kid: "current" });
    expect(await api.verify(token)).toMatchObject({ is_valid: true, issuer: "https://keys.example" });
  });
});
