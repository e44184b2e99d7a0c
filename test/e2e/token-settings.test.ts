/** Derived tokens under other settings: a stateless service, another prefix, and secrets that change. */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { randomToken, startTestServer, type TestServer } from "./server.js";

const MACAROON = { algorithm: "TOKEN_ALGORITHM_MACAROON" };
const ALGORITHMS = [{}, MACAROON];

let dataDir: string;
let started: TestServer[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-tokens-"));
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((server) => server.close()));
  rmSync(dataDir, { recursive: true });
});

/** A service on this test's data directory; the one before it is stopped, as a restart does. */
async function restart(env: Readonly<Record<string, string>> = {}): Promise<Api> {
  await started.pop()?.close();
  const server = await startTestServer({ env: { LATCHKEY_DATA_DIR: dataDir, ...env } });
  started.push(server);
  return new Api(createFetchRestClient(server.url), server.tokens, server.signingJwk);
}

async function deriveBoth(api: Api, credential: string): Promise<string[]> {
  return Promise.all(ALGORITHMS.map(async (request) => (await api.derive(credential, request)).token));
}

async function codes(api: Api, credentials: readonly string[]): Promise<unknown[]> {
  return Promise.all(credentials.map(async (credential) => (await api.verify(credential)).error_code));
}

const GOOD = "VERIFICATION_ERROR_UNSPECIFIED";
const FORGED = "VERIFICATION_ERROR_SIGNATURE_INVALID";

describe("tokens.check_parent: false", () => {
  test("takes a token at its word, revoked key or not", async () => {
    const api = await restart({ LATCHKEY_TOKENS_CHECK_PARENT: "false" });
    const { issued_api_key: key, secret } = await api.issue({ actor_id: "a", scopes: ["x"], metadata: { m: 1 } });
    const { token, expire_time } = await api.derive(secret);
    await api.revoke(key.key_id);
    expect(await api.verify(token)).toEqual({
      is_valid: true,
      error_code: GOOD,
      error_message: "",
      key_id: key.key_id,
      actor_id: "a",
      scopes: ["x"],
      status: "KEY_STATUS_ACTIVE",
      visibility: "KEY_VISIBILITY_UNSPECIFIED",
      expire_time,
      issuer: "latchkey",
    });
  });

  test("still looks at the signature, the clock and the addresses", async () => {
    const api = await restart({ LATCHKEY_TOKENS_CHECK_PARENT: "false" });
    const { secret } = await api.issue({ actor_id: "a", ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] } });
    const client_ip = "10.1.2.3";
    const { token } = await api.derive(secret, { client_ip });
    expect((await api.verify(token)).error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
    expect((await api.verify(token, { client_ip })).is_valid).toBe(true);
    expect((await api.verify(`${token.slice(0, -10)}AAAAAAAAAA`, { client_ip })).error_code).toBe(FORGED);
  });
});

describe("a restart", () => {
  test("with the same secrets keeps every token, key and imported key", async () => {
    const before = await restart();
    const rawKey = `legacy-${randomUUID()}`;
    const { key_id } = await before.importKey({ raw_key: rawKey, actor_id: "a" });
    const { secret } = await before.issue({ actor_id: "a" });
    const credentials = [secret, rawKey, ...(await deriveBoth(before, secret)), ...(await deriveBoth(before, rawKey))];
    const after = await restart();
    expect(await codes(after, credentials)).toEqual(credentials.map(() => GOOD));
    expect((await after.verify(rawKey)).key_id).toBe(key_id);
  });

  test("gives a repeated request the same secret, also after secrets.hmac was replaced", async () => {
    const [first, second] = [randomToken(), randomToken()];
    // The caller is a part of what a request_id names: the tokens differ from start to start, their names do not.
    const request = { actor_id: "a", request_id: randomUUID() };
    const api = await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: first });
    const answer = await api.issue(request);
    const retired = { LATCHKEY_SECRETS_HMAC_CURRENT: second, LATCHKEY_SECRETS_HMAC_RETIRED: first };
    expect(await (await restart(retired)).issue(request)).toEqual(answer);

    const gone = await (await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: second })).issue(request);
    expect(gone).toEqual({ issued_api_key: answer.issued_api_key, secret: "", secret_expired: true });
  });

  test("with another secrets.hmac ends macaroons, unless the old one is retired", async () => {
    const [first, second] = [randomToken(), randomToken()];
    const api = await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: first });
    const { secret } = await api.issue({ actor_id: "a" });
    const tokens = await deriveBoth(api, secret);
    const retired = { LATCHKEY_SECRETS_HMAC_CURRENT: second, LATCHKEY_SECRETS_HMAC_RETIRED: first };
    const during = await restart(retired);
    expect(await codes(during, tokens)).toEqual([GOOD, GOOD]);
    const newer = await deriveBoth(during, secret);
    const after = await restart({ LATCHKEY_SECRETS_HMAC_CURRENT: second });
    expect(await codes(after, [...tokens, ...newer])).toEqual([GOOD, FORGED, GOOD, GOOD]);
  });

  test("with another pepper is refused", async () => {
    await restart({ LATCHKEY_SECRETS_PEPPER: randomToken() });
    await expect(restart({ LATCHKEY_SECRETS_PEPPER: randomToken() })).rejects.toThrow(
      "secrets.pepper is not the one that this store was first used with",
    );
  });

  test("with other signing keys keeps the JWTs of a key whose public part is still there", async () => {
    const jwk = (kid: string, part: "publicKey" | "privateKey", pair: ReturnType<typeof makePair>) => ({
      ...pair[part].export({ format: "jwk" }),
      kid,
    });
    const [first, second] = [makePair(), makePair()];
    const signingKeys = (...keys: object[]) => ({
      LATCHKEY_TOKENS_SIGNING_JWKS_URLS: `base64://${Buffer.from(JSON.stringify({ keys })).toString("base64")}`,
    });
    const api = await restart(signingKeys(jwk("1", "privateKey", first)));
    const { secret } = await api.issue({ actor_id: "a" });
    const { token: old } = await api.derive(secret);

    const during = await restart(signingKeys(jwk("1", "publicKey", first), jwk("2", "privateKey", second)));
    const { token: recent } = await during.derive(secret);
    expect(await codes(during, [old, recent])).toEqual([GOOD, GOOD]);
    const after = await restart(signingKeys(jwk("2", "privateKey", second)));
    expect(await codes(after, [old, recent])).toEqual([FORGED, GOOD]);
    // Another key under the kid that tokens name.
    const swapped = await restart(signingKeys(jwk("1", "privateKey", second)));
    expect(await codes(swapped, [old, recent])).toEqual([FORGED, FORGED]);
  });

  test("with another issuer, audience or macaroon prefix takes none of the old tokens", async () => {
    const api = await restart();
    const { secret } = await api.issue({ actor_id: "a" });
    const tokens = await deriveBoth(api, secret);
    expect(await codes(await restart({ LATCHKEY_TOKENS_ISSUER: "other" }), tokens)).toEqual([FORGED, FORGED]);
    const audience = await restart({ LATCHKEY_TOKENS_AUDIENCE: "orders" });
    expect(await codes(audience, tokens)).toEqual([FORGED, FORGED]);
    const own = await deriveBoth(audience, secret);
    expect(await codes(audience, own)).toEqual([GOOD, GOOD]);

    const renamed = await restart({ LATCHKEY_TOKENS_MACAROON_PREFIX: "mac" });
    expect(await codes(renamed, tokens)).toEqual([GOOD, "VERIFICATION_ERROR_NOT_FOUND"]);
    expect((await renamed.derive(secret, MACAROON)).token).toMatch(/^mac_v1_/);
    expect(await codes(renamed, own)).toEqual([FORGED, "VERIFICATION_ERROR_NOT_FOUND"]);
  });
});

function makePair() {
  return generateKeyPairSync("ed25519");
}
