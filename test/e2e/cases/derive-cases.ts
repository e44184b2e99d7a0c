import { expect } from "@jest/globals";
import { type Api, CREDENTIAL_REQUIRED, invalid, type KeyJson, refused } from "../api.js";
import type { Json, JsonObject } from "../clients/api-client.js";
import { eventually } from "../eventually.js";
import type { Case } from "./case.js";
import { randomRawKey } from "./raw-key.js";
import { readJwt, withOtherCharacter } from "./token-parts.js";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const WHOLE_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const NIL_TENANT_ID = "00000000-0000-0000-0000-000000000000";
const ALGORITHMS = ["TOKEN_ALGORITHM_JWT", "TOKEN_ALGORITHM_MACAROON"] as const;
const DEFAULT_TTL_S = 900;
const MAX_TTL_S = 86_400;
const MS = 1000;
const TTL_RULE = invalid("ttl", `must be 1s to ${MAX_TTL_S}s, or 0s for the default`);
export const TTL_PAST_PARENT = invalid("ttl", "must end within the life of the credential");
const PARENT_INVALID = parentInvalid("the credential is not valid");

export const deriveCases: readonly Case[] = [
  {
    name: "makes a JWT of 15 minutes with all that its key says",
    run: async ({ api, actorId }) => {
      const { key, secret } = await issueFull(api, actorId);
      const before = Date.now();
      const { token, ...answer } = await api.derive(secret);
      expect(answer.scopes).toEqual(["a", "b", "c"]);
      expect(answer.expire_time).toMatch(WHOLE_SECONDS);
      const iat = Number(answer.claims.iat);
      expect(iat).toBeGreaterThanOrEqual(Math.floor(before / MS));
      expect(iat).toBeLessThanOrEqual(Date.now() / MS);
      expect(answer.claims).toEqual({
        iss: "latchkey",
        sub: key.key_id,
        iat,
        nbf: iat,
        exp: iat + DEFAULT_TTL_S,
        jti: expect.stringMatching(UUID_V7),
        act: actorId,
        scp: ["a", "b", "c"],
        nid: NIL_TENANT_ID,
        acl: ["127.0.0.0/8"],
      });
      expect(Date.parse(answer.expire_time)).toBe(Number(answer.claims.exp) * MS);

      const { keys } = (await api.ask("GetJwks", {})) as { keys: { kid: string }[] };
      expect(readJwt(token)).toEqual({
        header: { alg: "EdDSA", typ: "JWT", kid: keys[0]?.kid },
        payload: answer.claims,
        signature: expect.stringMatching(/^[A-Za-z0-9_-]{86}$/),
      });
    },
  },
  {
    name: "makes a JWT when no algorithm is named, and when it is unspecified",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      for (const request of [{}, { algorithm: "TOKEN_ALGORITHM_UNSPECIFIED" }, { algorithm: "TOKEN_ALGORITHM_JWT" }]) {
        expect((await api.derive(secret, request)).token).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
      }
    },
  },
  {
    name: "makes a macaroon that says the same",
    run: async ({ api, actorId }) => {
      const { secret } = await issueFull(api, actorId);
      const request = { ttl: "60s", scopes: ["b"], custom_claims: { order: 7 } };
      const jwt = await api.derive(secret, request);
      const macaroon = await api.derive(secret, { ...request, algorithm: "TOKEN_ALGORITHM_MACAROON" });
      expect(macaroon.token).toMatch(/^mc_v1_[\w-]+$/);
      expect(Object.keys(macaroon.claims).sort()).toEqual(Object.keys(jwt.claims).sort());
      const { iat, nbf, exp, jti, ...said } = macaroon.claims;
      expect(jwt.claims).toMatchObject(said);
      expect([nbf, exp]).toEqual([iat, Number(iat) + 60]);
      expect(jti).not.toBe(jwt.claims.jti);
    },
  },
  {
    name: "derives from an imported key likewise",
    run: async ({ api, actorId }) => {
      const rawKey = randomRawKey();
      const { key_id } = await api.importKey({ raw_key: rawKey, actor_id: actorId, scopes: ["a"] });
      for (const algorithm of ALGORITHMS) {
        const { claims } = await api.derive(rawKey, { algorithm });
        expect(claims).toMatchObject({ sub: key_id, act: actorId, scp: ["a"] });
        expect(claims.acl).toBeUndefined();
      }
    },
  },
  {
    name: "takes the ttl that is asked for, from 1 s to 24 h",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      for (const seconds of [1, 60, MAX_TTL_S]) {
        const { claims } = await api.derive(secret, { ttl: `${seconds}s` });
        expect(Number(claims.exp) - Number(claims.iat)).toBe(seconds);
      }
      const { claims } = await api.derive(secret, { ttl: "0s" });
      expect(Number(claims.exp) - Number(claims.iat)).toBe(DEFAULT_TTL_S);
      for (const ttl of ["0.999s", "-1s", `${MAX_TTL_S + 1}s`, `${MAX_TTL_S}.001s`]) {
        expect(await refusal(api, secret, { ttl })).toEqual(TTL_RULE);
      }
    },
  },
  {
    name: "says what scopes are missing in whole characters, however long they are",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      for (const first of ["", "x"]) {
        const scopes = [`${first}${"\u{1F511}".repeat(200)}`, "\u{1F511}".repeat(255), "\u{1F511}".repeat(254)];
        const { code, reason, message } = await refusal(api, secret, { scopes });
        expect([code, reason]).toEqual(["PERMISSION_DENIED", "SCOPE_NOT_ALLOWED"]);
        expect(message).toMatch(/^the credential does not have these scopes: x?(\u{1F511}|, )+\u2026$/u);
      }
    },
  },
  {
    name: "shortens the default life to what is left of the key's, and refuses a ttl past it",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, ttl: "60s" });
      const end = Math.floor(Date.parse(key.expire_time ?? "") / MS);
      for (const algorithm of ALGORITHMS) {
        expect((await api.derive(secret, { algorithm })).claims.exp).toBe(end);
        expect(Number((await api.derive(secret, { algorithm, ttl: "30s" })).claims.exp)).toBeLessThan(end);
        expect(await refusal(api, secret, { algorithm, ttl: "61s" })).toEqual(TTL_PAST_PARENT);
      }
    },
  },
  {
    name: "ends a token with the grace period of a rotated key",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const { old_issued_api_key: old } = await api.rotate(key.key_id, { grace_period: "60s" });
      const { claims } = await api.derive(secret);
      expect(Number(claims.exp) * MS).toBeLessThanOrEqual(Date.parse(old.update_time) + 60 * MS);
      expect(await refusal(api, secret, { ttl: "61s" })).toEqual(TTL_PAST_PARENT);
    },
  },
  {
    name: "gives the scopes that are asked for, each once and in that order",
    run: async ({ api, actorId }) => {
      const { secret } = await issueFull(api, actorId);
      const { scopes, claims } = await api.derive(secret, { scopes: ["c", "a", "c", "a"] });
      expect([scopes, claims.scp]).toEqual([
        ["c", "a"],
        ["c", "a"],
      ]);
    },
  },
  {
    name: "never gives a scope that the key does not have",
    run: async ({ api, actorId }) => {
      const { secret } = await issueFull(api, actorId);
      expect(await refusal(api, secret, { scopes: ["a", "d", "e"] })).toEqual(scopesMissing("d, e"));
      const { secret: starred } = await api.issue({ actor_id: actorId, scopes: ["*", "orders:*"] });
      for (const scope of ["orders:read", "orders:", "anything", "orders", "**"]) {
        expect(await refusal(api, starred, { scopes: [scope] })).toEqual(scopesMissing(scope));
      }
      expect((await api.derive(starred, { scopes: ["*"] })).scopes).toEqual(["*"]);
      for (const scope of ["A", "a*", "*", "?"]) {
        expect(await refusal(api, secret, { scopes: [scope] })).toEqual(scopesMissing(scope));
      }
      const { secret: none } = await api.issue({ actor_id: actorId });
      expect(await refusal(api, none, { scopes: ["a"] })).toEqual(scopesMissing("a"));
      expect((await api.derive(none)).scopes).toEqual([]);
    },
  },
  {
    name: "carries custom claims beside its own",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const custom = { order: 7, nested: { list: [1, 2.5, "x", true, null, {}] }, "": "", "naïve 名": "🔑" };
      for (const algorithm of ALGORITHMS) {
        expect((await api.derive(secret, { algorithm, custom_claims: custom })).claims).toMatchObject(custom);
      }
    },
  },
  {
    name: "takes custom claims of 4096 bytes and no more",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const claims = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
      expect((await api.derive(secret, { custom_claims: claims(4096) })).claims.a).toHaveLength(4088);
      expect(await refusal(api, secret, { custom_claims: claims(4097) })).toEqual(
        invalid("custom_claims", "must be at most 4096 bytes as compact UTF-8 JSON"),
      );
    },
  },
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "scp", "nid", "acl", "scope", "cnf", "constructor"].map(
    (name): Case => ({
      name: `refuses the custom claim ${name}`,
      run: async ({ api, actorId }) => {
        const { secret } = await api.issue({ actor_id: actorId });
        expect(await refusal(api, secret, { custom_claims: { fine: 1, [name]: "x" } })).toEqual(
          invalid("custom_claims", `${name} is a reserved name`),
        );
      },
    }),
  ),
  {
    name: "refuses what is no scope",
    run: async ({ api, actorId }) => {
      const { secret } = await issueFull(api, actorId);
      expect(await refusal(api, secret, { scopes: ["a", "b c"] })).toEqual(
        invalid("scopes[1]", "must be 1 to 255 printable characters without spaces"),
      );
    },
  },
  {
    name: "asks for a credential, of 16 KiB at most",
    run: async ({ api }) => {
      expect(await api.refusal("AdminDeriveToken", {})).toEqual(CREDENTIAL_REQUIRED);
      expect(await refusal(api, "x".repeat(16_385), {})).toEqual(invalid("credential", "must be at most 16384 bytes"));
    },
  },
  {
    name: "refuses a credential that does not verify, and does not tell an unknown from a mistyped one",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      for (const credential of ["unknown-credential", `${secret}1`, withOtherCharacter(secret), "mc_v1_AAAA"]) {
        expect(await refusal(api, credential, {})).toEqual(PARENT_INVALID);
      }
    },
  },
  {
    name: "refuses a revoked key, a deleted one and an expired one",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      await api.revoke(key.key_id);
      expect(await refusal(api, secret, {})).toEqual(parentInvalid("the key is revoked"));

      const rawKey = randomRawKey();
      const { key_id } = await api.importKey({ raw_key: rawKey, actor_id: actorId });
      await api.deleteImported(key_id);
      expect(await refusal(api, rawKey, {})).toEqual(PARENT_INVALID);

      const { secret: short } = await api.issue({ actor_id: actorId, ttl: "1s" });
      const expired = await eventually("the key to expire", async () =>
        (await api.verify(short)).is_valid === true ? undefined : refusal(api, short, {}),
      );
      expect(expired).toEqual(parentInvalid("the credential is expired"));
    },
  },
  {
    name: "refuses a token whose signature does not hold",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      for (const algorithm of ALGORITHMS) {
        const { token } = await api.derive(secret, { algorithm });
        const { reason, code } = await refusal(api, forge(token), {});
        expect([code, reason]).toEqual(["UNAUTHENTICATED", "SIGNATURE_INVALID"]);
      }
    },
  },
];

export function parentInvalid(message: string) {
  return refused("UNAUTHENTICATED", "PARENT_KEY_INVALID", message);
}

export function scopesMissing(scopes: string) {
  const message = `the credential does not have these scopes: ${scopes}`;
  return refused("PERMISSION_DENIED", "SCOPE_NOT_ALLOWED", message);
}

function refusal(api: Api, credential: string, request: JsonObject) {
  return api.refusal("AdminDeriveToken", { credential, ...request });
}

/** Changes the signature, which ends a JWT and a macaroon. */
function forge(token: string): string {
  return token.slice(0, -20) + withOtherCharacter(token.slice(-20));
}

async function issueFull(api: Api, actorId: string): Promise<{ key: KeyJson; secret: string }> {
  const { issued_api_key: key, secret } = await api.issue({
    actor_id: actorId,
    scopes: ["a", "b", "c"] satisfies Json[],
    ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] },
    ttl: "3600s",
  });
  return { key, secret };
}
