/** Macaroons: what their holders can do offline, and what nobody can. */
import { expect } from "@jest/globals";
import type { Api, TokenJson } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { SIGNATURE_INVALID } from "./derived-token-cases.js";
import { withCaveats, withForgedCaveats, withForgedClaims, withOtherCharacter } from "./token-parts.js";
import { refusedVerification } from "./verify-cases.js";

const MAX_CAVEATS = 64;
const MS = 1000;
const MISTYPED = refusedVerification("INVALID_FORMAT", "the credential is mistyped or truncated");
const PERMITS_NOTHING = refusedVerification(
  "INVALID_FORMAT",
  "a caveat of the token is not known, or its caveats permit nothing",
);

export const macaroonCases: readonly Case[] = [
  {
    name: "is narrowed by each caveat that its holder adds",
    run: async ({ api, actorId }) => {
      const whole = await derive(api, actorId, { scopes: ["a", "b", "c"] }, { ttl: "600s" });
      const end = Number(whole.claims.exp);
      const once = withCaveats(whole.token, 'scp subset ["c","b"]', `exp <= ${end - 60}`);
      const twice = withCaveats(once, 'acl subset ["10.0.0.0/8"]', `exp <= ${end - 120}`, 'scp subset ["a","b"]');
      expect(await api.verify(once)).toMatchObject({
        is_valid: true,
        scopes: ["b", "c"],
        expire_time: timestamp(end - 60),
      });
      expect(await api.verify(twice, { client_ip: "10.1.2.3" })).toMatchObject({
        is_valid: true,
        scopes: ["b"],
        expire_time: timestamp(end - 120),
      });
      const identity = { key_id: String(whole.claims.sub), status: "KEY_STATUS_ACTIVE" };
      expect(await api.verify(twice)).toEqual(
        refusedVerification("IP_NOT_ALLOWED", "the key may not be used from the client's address", identity),
      );
      expect(await api.verify(whole.token)).toMatchObject({ scopes: ["a", "b", "c"], expire_time: timestamp(end) });
    },
  },
  {
    name: "is not widened by any caveat",
    run: async ({ api, actorId }) => {
      const key = { scopes: ["a", "b"], ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] } };
      const whole = await derive(api, actorId, key, { scopes: ["a"], ttl: "60s" });
      const end = Number(whole.claims.exp);
      const token = withCaveats(
        whole.token,
        'scp subset ["a","b","admin"]',
        `exp <= ${end + 3600}`,
        'acl subset ["0.0.0.0/0","::/0"]',
      );
      expect(await api.verify(token)).toMatchObject({ is_valid: true, scopes: ["a"], expire_time: timestamp(end) });
      const elsewhere = await api.verify(token, { client_ip: "10.1.2.3" });
      expect(elsewhere.error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
    },
  },
  {
    name: "expires by a caveat",
    run: async ({ api, actorId }) => {
      const { token, claims } = await derive(api, actorId);
      const identity = { key_id: String(claims.sub), status: "KEY_STATUS_ACTIVE" };
      for (const seconds of [0, Number(claims.iat)]) {
        expect(await api.verify(withCaveats(token, `exp <= ${seconds}`))).toEqual(
          refusedVerification("EXPIRED", "the credential is expired", identity),
        );
      }
    },
  },
  {
    name: "takes 64 caveats and no more",
    run: async ({ api, actorId }) => {
      const { token, claims } = await derive(api, actorId);
      const caveats = (count: number) => Array.from({ length: count }, () => `exp <= ${Number(claims.exp)}`);
      expect(await api.verify(withCaveats(token, ...caveats(MAX_CAVEATS)))).toMatchObject({ is_valid: true });
      expect(await api.verify(withCaveats(token, ...caveats(MAX_CAVEATS + 1)))).toEqual(MISTYPED);
    },
  },
  {
    name: "permits nothing under a caveat that is not known",
    run: async ({ api, actorId }) => {
      const { token } = await derive(api, actorId, { scopes: ["a"] });
      for (const caveat of [
        "",
        "time < 2099-01-01T00:00",
        "exp < 9999999999",
        "exp <= 09999999999",
        "exp<=9999999999",
        "exp <= 9999999999 ",
        "exp <= 9999999999.0",
        'scp subset "a"',
        'scp subset ["a",1]',
        'scp superset ["a"]',
        'SCP subset ["a"]',
        'scp  subset ["a"]',
        "acl subset 10.0.0.0/8",
      ]) {
        expect([caveat, await api.verify(withCaveats(token, caveat))]).toEqual([caveat, PERMITS_NOTHING]);
      }
    },
  },
  {
    name: "permits nothing when its caveats leave no scope or no network",
    run: async ({ api, actorId }) => {
      const key = { scopes: ["a", "b"], ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] } };
      const { token } = await derive(api, actorId, key);
      for (const caveats of [
        ["scp subset []"],
        ['scp subset ["c"]'],
        ['scp subset ["A"]'],
        ['scp subset ["a"]', 'scp subset ["b"]'],
        ["acl subset []"],
        ['acl subset ["10.0.0.0/8"]'],
        ['acl subset ["127.0.0.1/33"]'],
        ['acl subset ["127.0.0.0/16"]', 'acl subset ["127.1.0.0/16"]'],
      ]) {
        expect([caveats, await api.verify(withCaveats(token, ...caveats))]).toEqual([caveats, PERMITS_NOTHING]);
      }
      const { token: scopeless } = await derive(api, actorId);
      expect(await api.verify(withCaveats(scopeless, 'scp subset ["a"]'))).toEqual(PERMITS_NOTHING);
    },
  },
  {
    name: "cannot be rid of a caveat, given another one or made to say something else",
    run: async ({ api, actorId }) => {
      const { token, claims } = await derive(api, actorId, { scopes: ["a", "b"] });
      const other = await derive(api, actorId, { scopes: ["a", "b"] });
      const narrowed = withCaveats(token, 'scp subset ["a"]', `exp <= ${Number(claims.exp)}`);
      for (const forged of [
        withForgedCaveats(narrowed),
        withForgedCaveats(narrowed, 'scp subset ["a"]'),
        withForgedCaveats(narrowed, `exp <= ${Number(claims.exp)}`, 'scp subset ["a"]'),
        withForgedCaveats(token, 'scp subset ["a"]'),
        withForgedClaims(token, { scp: ["a", "b", "admin"] }),
        withForgedClaims(token, { exp: Number(claims.exp) + 1 }),
        withForgedClaims(token, { sub: other.claims.sub ?? "" }),
        withForgedClaims(token, { sub: "01890000-0000-7000-8000-000000000000" }),
        withForgedClaims(token, { iss: "other" }),
        withForgedClaims(token, { nid: "01890000-0000-7000-8000-000000000000" }),
        token.slice(0, -20) + withOtherCharacter(token.slice(-20)),
      ]) {
        expect(await api.verify(forged)).toEqual(SIGNATURE_INVALID);
        const { reason } = await api.refusal("AdminDeriveToken", { credential: forged });
        expect(reason).toBe("SIGNATURE_INVALID");
      }
      expect((await api.verify(token)).is_valid).toBe(true);
    },
  },
  {
    name: "is told from what is no macaroon",
    run: async ({ api, actorId }) => {
      const { token } = await derive(api, actorId);
      for (const wrong of [
        "mc_v1_",
        "mc_v1_AAAA",
        token.slice(0, -4),
        `${token}AAAA`,
        `${token}=`,
        token.replace("_v1_", "_v1_ "),
        `mc_v1_${Buffer.from(token).toString("base64url")}`,
        withForgedClaims(token, { exp: "never" }),
        withForgedClaims(token, { scp: null }),
      ]) {
        expect([wrong, await api.verify(wrong)]).toEqual([wrong, MISTYPED]);
      }
    },
  },
  {
    name: "is remembered as what it is: the same answer at each look, whole and narrowed apart",
    run: async ({ api, actorId }) => {
      const { token } = await derive(api, actorId, { scopes: ["a", "b"] });
      const narrowed = withCaveats(token, 'scp subset ["a"]');
      for (let look = 0; look < 3; look++) {
        expect((await api.verify(token)).scopes).toEqual(["a", "b"]);
        expect((await api.verify(narrowed)).scopes).toEqual(["a"]);
        expect(await api.verify(withForgedCaveats(narrowed))).toEqual(SIGNATURE_INVALID);
      }
    },
  },
];

async function derive(api: Api, actorId: string, key: JsonObject = {}, request: JsonObject = {}): Promise<TokenJson> {
  const { secret } = await api.issue({ actor_id: actorId, ...key });
  return api.derive(secret, { algorithm: "TOKEN_ALGORITHM_MACAROON", ...request });
}

/** As answers write a time of whole seconds. */
function timestamp(unixSeconds: number): string {
  return new Date(unixSeconds * MS).toISOString().replace(".000Z", "Z");
}
