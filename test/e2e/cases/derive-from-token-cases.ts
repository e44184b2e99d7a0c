/** Tokens from tokens: each step can only narrow. */
import { expect } from "@jest/globals";
import { type Api, invalid, type TokenJson } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { parentInvalid, scopesMissing, TTL_PAST_PARENT } from "./derive-cases.js";
import { IP_NOT_ALLOWED } from "./ip-cases.js";
import { readJwt, signAsService, withCaveats } from "./token-parts.js";

const FROM_TO = (["JWT", "MACAROON"] as const).flatMap((from) =>
  (["JWT", "MACAROON"] as const).map((to) => [from, to] as const),
);

/** Each case for every kind of parent and of child. */
export const deriveFromTokenCases: readonly Case[] = FROM_TO.flatMap(([from, to]) => {
  const start = (api: Api, actorId: string, key: JsonObject = {}, request: JsonObject = {}) =>
    startChain(api, actorId, key, { algorithm: `TOKEN_ALGORITHM_${from}`, ...request });
  const next = { algorithm: `TOKEN_ALGORITHM_${to}` };
  const prefix = `${from} to ${to}:`;
  return [
    {
      name: `${prefix} says what its parent says, and is a token of its own`,
      run: async ({ api, actorId }) => {
        const parent = await start(api, actorId, { scopes: ["a", "b"] }, { ttl: "60s", custom_claims: { x: 1 } });
        const child = await api.derive(parent.token, next);
        const { iat, nbf, jti, ...said } = child.claims;
        expect(parent.claims).toMatchObject(said);
        expect(Number(iat)).toBeGreaterThanOrEqual(Number(parent.claims.iat));
        expect(nbf).toBe(iat);
        expect(jti).not.toBe(parent.claims.jti);
        expect(await api.verify(child.token)).toMatchObject({
          is_valid: true,
          key_id: parent.claims.sub,
          scopes: ["a", "b"],
          expire_time: parent.expire_time,
        });
      },
    },
    {
      name: `${prefix} has no scope that its parent does not have, though the key has it`,
      run: async ({ api, actorId }) => {
        const parent = await start(api, actorId, { scopes: ["a", "b", "c"] }, { scopes: ["a", "b"] });
        const child = await api.derive(parent.token, { ...next, scopes: ["b"] });
        expect(child.scopes).toEqual(["b"]);
        expect(await refusal(api, parent.token, { ...next, scopes: ["b", "c"] })).toEqual(scopesMissing("c"));
        expect(await refusal(api, child.token, { ...next, scopes: ["a"] })).toEqual(scopesMissing("a"));
      },
    },
    {
      name: `${prefix} does not outlive its parent`,
      run: async ({ api, actorId }) => {
        const parent = await start(api, actorId, {}, { ttl: "60s" });
        expect((await api.derive(parent.token, next)).claims.exp).toBe(parent.claims.exp);
        const child = await api.derive(parent.token, { ...next, ttl: "30s" });
        expect(Number(child.claims.exp)).toBeLessThan(Number(parent.claims.exp));
        expect(await refusal(api, parent.token, { ...next, ttl: "61s" })).toEqual(TTL_PAST_PARENT);
        expect(await refusal(api, child.token, { ...next, ttl: "31s" })).toEqual(TTL_PAST_PARENT);
      },
    },
    {
      name: `${prefix} inherits custom claims, adds some, and contradicts none`,
      run: async ({ api, actorId }) => {
        const inherited = { order: 7, nested: { a: 1, b: [1, null] } };
        const parent = await start(api, actorId, {}, { custom_claims: inherited });
        const same = { nested: { b: [1, null], a: 1 }, more: true };
        const child = await api.derive(parent.token, { ...next, custom_claims: same });
        expect(child.claims).toMatchObject({ ...inherited, more: true });
        for (const [name, value] of Object.entries({ order: 8, nested: { a: 1 } })) {
          expect(await refusal(api, parent.token, { ...next, custom_claims: { [name]: value } })).toEqual(
            invalid("custom_claims", `${name}: the parent token says otherwise`),
          );
        }
        expect(await refusal(api, child.token, { ...next, custom_claims: { more: null } })).toEqual(
          invalid("custom_claims", "more: the parent token says otherwise"),
        );
      },
    },
    {
      name: `${prefix} may be used from where its parent may, and only from there`,
      run: async ({ api, actorId }) => {
        const client_ip = "10.1.2.3";
        const key = { ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "2001:db8::/32"] } };
        const parent = await start(api, actorId, key, { client_ip });
        expect(await refusal(api, parent.token, next)).toEqual(IP_NOT_ALLOWED);
        const child = await api.derive(parent.token, { ...next, client_ip });
        expect(child.claims.acl).toEqual(["10.0.0.0/8", "2001:db8::/32"]);
        expect(await api.verify(child.token, { client_ip })).toMatchObject({ is_valid: true });
        expect(await api.verify(child.token)).toMatchObject({ error_code: "VERIFICATION_ERROR_IP_NOT_ALLOWED" });
      },
    },
    {
      name: `${prefix} is refused with its key, and when its parent is expired`,
      run: async ({ api, actorId }) => {
        const parent = await start(api, actorId);
        const child = await api.derive(parent.token, next);
        await api.revoke(String(parent.claims.sub));
        expect(await refusal(api, parent.token, next)).toEqual(parentInvalid("the key is revoked"));
        expect(await api.verify(child.token)).toMatchObject({ error_code: "VERIFICATION_ERROR_REVOKED" });

        const short = await start(api, actorId);
        expect(await refusal(api, expired(api, short), next)).toEqual(parentInvalid("the credential is expired"));
      },
    },
    ...(from === "MACAROON" ? [narrowedOffline(next)] : []),
  ] satisfies Case[];
});

function narrowedOffline(next: JsonObject): Case {
  return {
    name: `MACAROON to ${String(next.algorithm).replace(/^.*_/, "")}: keeps to the caveats of its parent`,
    run: async ({ api, actorId }) => {
      const algorithm = "TOKEN_ALGORITHM_MACAROON";
      const whole = await startChain(api, actorId, { scopes: ["a", "b"] }, { algorithm, ttl: "60s" });
      const end = Number(whole.claims.exp) - 10;
      const narrowed = withCaveats(
        whole.token,
        'scp subset ["b","z"]',
        `exp <= ${end}`,
        'acl subset ["127.0.0.0/8","10.0.0.0/8"]',
        'acl subset ["127.0.0.0/16"]',
      );
      const child = await api.derive(narrowed, next);
      expect(child.claims).toMatchObject({ scp: ["b"], exp: end, acl: ["127.0.0.0/16"] });
      expect(await refusal(api, narrowed, { ...next, scopes: ["a"] })).toEqual(scopesMissing("a"));
      expect(await refusal(api, narrowed, { ...next, ttl: "60s" })).toEqual(TTL_PAST_PARENT);
      expect(await refusal(api, withCaveats(narrowed, "unknown caveat"), next)).toEqual(
        parentInvalid("the caveats of the credential permit nothing"),
      );
      const answer = await api.verify(child.token, { client_ip: "127.1.0.1" });
      expect(answer.error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
    },
  };
}

/** The token with an end that is over. */
function expired(api: Api, { token, claims }: TokenJson): string {
  if (token.startsWith("mc_v1_")) return withCaveats(token, `exp <= ${Number(claims.iat)}`);
  return signAsService(api.signingJwk, readJwt(token).header, { ...claims, exp: claims.iat ?? 0 });
}

async function startChain(api: Api, actorId: string, key: JsonObject, request: JsonObject): Promise<TokenJson> {
  const { secret } = await api.issue({ actor_id: actorId, ...key });
  return api.derive(secret, request);
}

function refusal(api: Api, credential: string, request: JsonObject) {
  return api.refusal("AdminDeriveToken", { credential, ...request });
}
