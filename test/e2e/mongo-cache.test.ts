/** Two services on one MongoDB: what one of them remembers, and what the other one does about it. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { primaryOf, proxiedUri } from "../proxied-mongo.js";
import { startPausableProxy } from "../store/pausable-proxy.js";
import { Api } from "./api.js";
import { createConnectNodeClient } from "./clients/connect-node-client.js";
import { CLIENTS } from "./clients/create-clients.js";
import { eventually } from "./eventually.js";
import { randomToken, startTestServer, type TestServer } from "./server.js";
import { createSetActor, settleFeed } from "./settle-feed.js";

/** What goes from this cache was evicted: nothing in it is too old before the end of the tests. */
const LASTING = { LATCHKEY_CACHE_TTL: "1h", LATCHKEY_CACHE_MAX_STALENESS: "1m" };

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `two services on MongoDB${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    const uri = mongo?.uri ?? "";
    const env = { LATCHKEY_SECRETS_PEPPER: randomToken(), ...LASTING };
    const setActor = createSetActor(uri);
    let here: TestServer;
    let there: TestServer;
    let elsewhere: Api;

    beforeAll(async () => {
      here = await startTestServer({ mongodbUri: uri, env });
      there = await startTestServer({ mongodbUri: uri, env });
      elsewhere = await apiOf(there);
      const api = await apiOf(here);
      await settleFeed(api, setActor);
      api.client.close();
    });
    afterAll(async () => {
      elsewhere?.client.close();
      await here?.close();
      await there?.close();
      await mongo?.dispose();
    });

    async function apiOf(server: TestServer): Promise<Api> {
      return new Api(await createConnectNodeClient("gRPC", "2", server.url), server.tokens);
    }

    describe.each(Object.entries(CLIENTS))("%s", (_name, createClient) => {
      let api: Api;
      beforeAll(async () => {
        api = new Api(await createClient(here.url), here.tokens);
      });
      afterAll(() => api?.client.close());

      test.each([
        [
          "verify",
          async (credential: string, headers: Record<string, string>) =>
            (await api.verify(credential, {}, { headers, token: here.tokens.verifier })).actor_id,
        ],
        [
          "batch verify",
          async (credential: string, headers: Record<string, string>) =>
            (await api.batchVerify([{ credential }], { headers, token: here.tokens.verifier }))[0]?.actor_id,
        ],
      ])("%s reads afresh when it is asked to", async (_rpc, actorOf) => {
        const { secret, issued_api_key: key } = await api.issue({ actor_id: "first" });
        expect(await actorOf(secret, {})).toBe("first");
        await setActor(key.key_id, "second");
        expect(await actorOf(secret, {})).toBe("first");
        expect(await actorOf(secret, { "cache-control": "max-age=0", pragma: "x" })).toBe("first");
        expect(await actorOf(secret, { "cache-control": "no-store" })).toBe("second");
        expect(await actorOf(secret, {})).toBe("first");
        expect(await actorOf(secret, { "cache-control": "max-age=0, No-Cache" })).toBe("second");
        expect(await actorOf(secret, {})).toBe("second");
        await setActor(key.key_id, "third");
        expect(await actorOf(secret, {})).toBe("second");
        expect(await actorOf(secret, { pragma: "no-cache" })).toBe("third");
        expect(await actorOf(secret, {})).toBe("third");
      });

      test("a key that was revoked at the other service is refused before long", async () => {
        const { secret, issued_api_key: key } = await api.issue({ actor_id: "me" });
        const { token } = await api.derive(secret);
        for (const credential of [secret, token])
          expect(await api.verify(credential)).toMatchObject({ is_valid: true });
        await elsewhere.ask("AdminRevokeApiKey", { key_id: key.key_id });
        for (const credential of [secret, token]) {
          const answer = await eventually("the refusal", async () => {
            const verified = await api.verify(credential);
            return verified.is_valid === true ? undefined : verified;
          });
          expect(answer.error_code).toBe("VERIFICATION_ERROR_REVOKED");
        }
      });

      test("a key that was revoked here is refused at once, and a rotated one", async () => {
        const { secret, issued_api_key: key } = await api.issue({ actor_id: "me" });
        expect(await api.verify(secret)).toMatchObject({ is_valid: true });
        const next = await api.rotate(key.key_id);
        expect(await api.verify(secret)).toMatchObject({ error_code: "VERIFICATION_ERROR_REVOKED" });
        expect(await api.verify(next.secret)).toMatchObject({ is_valid: true });
        await api.ask("AdminRevokeApiKey", { key_id: next.issued_api_key.key_id });
        expect(await api.verify(next.secret)).toMatchObject({ error_code: "VERIFICATION_ERROR_REVOKED" });
      });

      test("no token is made from a key that is revoked already, however it is remembered", async () => {
        const { secret, issued_api_key: key } = await api.issue({ actor_id: "me" });
        expect(await api.verify(secret)).toMatchObject({ is_valid: true });
        await elsewhere.ask("AdminRevokeApiKey", { key_id: key.key_id });
        expect(await api.refusal("AdminDeriveToken", { credential: secret })).toMatchObject({
          reason: "PARENT_KEY_INVALID",
          message: "the key is revoked",
        });
      });

      test("who may use a remembered key from where is asked every time", async () => {
        const { secret } = await api.issue({ actor_id: "me", ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] } });
        for (let round = 0; round < 2; round += 1) {
          expect(await api.verify(secret, { client_ip: "10.1.2.3" })).toMatchObject({ is_valid: true });
          expect(await api.verify(secret, { client_ip: "192.0.2.1" })).toMatchObject({
            error_code: "VERIFICATION_ERROR_IP_NOT_ALLOWED",
          });
        }
      });
    });

    test("an imported key that was deleted and imported again elsewhere is the new one before long", async () => {
      const api = await apiOf(here);
      const rawKey = `sk_live_${randomUUID()}`;
      const { key_id } = await elsewhere.importKey({ raw_key: rawKey, actor_id: "first" });
      expect(await api.verify(rawKey)).toMatchObject({ is_valid: true, actor_id: "first" });
      await elsewhere.ask("AdminDeleteImportedApiKey", { key_id });
      await eventually("the deletion", async () => ((await api.verify(rawKey)).is_valid === true ? undefined : true));
      await elsewhere.importKey({ raw_key: rawKey, actor_id: "second" });
      expect(await api.verify(rawKey)).toMatchObject({ is_valid: true, actor_id: "second" });
      api.client.close();
    });

    test("a MongoDB that hangs: the cache answers for a while, then UNAVAILABLE, and again without a restart", async () => {
      const proxy = await startPausableProxy(await primaryOf(uri));
      const server = await startTestServer({
        mongodbUri: proxiedUri(uri, proxy.address),
        env: { ...env, LATCHKEY_CACHE_MAX_STALENESS: "3s", LATCHKEY_STORE_MONGODB_TIMEOUT: "500ms" },
      });
      const api = await apiOf(server);
      try {
        const { secret, issued_api_key: key } = await api.issue({ actor_id: "me" });
        expect(await api.verify(secret)).toMatchObject({ is_valid: true });
        proxy.pause();
        expect(await api.verify(secret)).toMatchObject({ is_valid: true });
        const refusal = await eventually("the refusal", async () => {
          const outcome = await api.call("AdminVerifyApiKey", { credential: secret });
          return outcome.ok ? undefined : outcome;
        });
        expect(refusal).toMatchObject({ code: "UNAVAILABLE", reason: "UNAVAILABLE" });
        await eventually("the warning", () =>
          server.log.find((line) => line.includes("changes of keys cannot be read")),
        );

        await elsewhere.ask("AdminRevokeApiKey", { key_id: key.key_id });
        proxy.resume();
        const answer = await eventually("the answer", async () => {
          const outcome = await api.call("AdminVerifyApiKey", { credential: secret });
          return outcome.ok ? outcome.response : undefined;
        });
        expect(answer).toMatchObject({ is_valid: false, error_code: "VERIFICATION_ERROR_REVOKED" });
      } finally {
        proxy.resume();
        api.client.close();
        await server.close();
        await proxy.close();
      }
    });
  },
);

test("the embedded store has no cache: what is asked of one changes nothing", async () => {
  const server = await startTestServer();
  const api = new Api(await createConnectNodeClient("gRPC", "2", server.url), server.tokens);
  try {
    const { secret, issued_api_key: key } = await api.issue({ actor_id: "me" });
    const valid = await api.verify(secret);
    for (const headers of [{ "cache-control": "no-cache" }, { "cache-control": "no-store" }, { pragma: "no-cache" }]) {
      expect(await api.verify(secret, {}, { headers, token: server.tokens.verifier })).toEqual(valid);
    }
    await api.ask("AdminRevokeApiKey", { key_id: key.key_id });
    expect(await api.verify(secret)).toMatchObject({ error_code: "VERIFICATION_ERROR_REVOKED" });
  } finally {
    api.client.close();
    await server.close();
  }
});
