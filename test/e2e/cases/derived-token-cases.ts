/** What derived tokens are worth: JWTs and, where it is the same for both, macaroons. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "@jest/globals";
import type { Api, TokenJson } from "../api.js";
import type { Json, JsonObject } from "../clients/api-client.js";
import { eventually } from "../eventually.js";
import type { Case, CaseContext } from "./case.js";
import { randomRawKey } from "./raw-key.js";
import {
  type JwtParts,
  readJwt,
  signAsService,
  signHs256,
  signWith,
  withOtherCharacter,
  writeJwt,
} from "./token-parts.js";
import { refusedVerification, UNKNOWN } from "./verify-cases.js";

const ALGORITHMS = ["TOKEN_ALGORITHM_JWT", "TOKEN_ALGORITHM_MACAROON"] as const;
const MS = 1000;
export const SIGNATURE_INVALID = refusedVerification("SIGNATURE_INVALID", "the signature of the token is not valid");

export const derivedTokenCases: readonly Case[] = [
  {
    name: "tells what a good token is worth: the key's facts, with the token's scopes, expiry and issuer",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({
        actor_id: actorId,
        scopes: ["a", "b"],
        metadata: { team: "blue" },
        rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
      });
      for (const algorithm of ALGORITHMS) {
        const custom_claims = { order: 7 };
        const { token, expire_time } = await api.derive(secret, {
          algorithm,
          scopes: ["b"],
          ttl: "60s",
          custom_claims,
        });
        expect(await api.verify(token)).toEqual({
          is_valid: true,
          error_code: "VERIFICATION_ERROR_UNSPECIFIED",
          error_message: "",
          key_id: key.key_id,
          actor_id: actorId,
          scopes: ["b"],
          metadata: { team: "blue" },
          status: "KEY_STATUS_ACTIVE",
          visibility: "KEY_VISIBILITY_SECRET",
          expire_time,
          issuer: "latchkey",
          rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
        });
      }
    },
  },
  {
    name: "verifies tokens of an imported key",
    run: async ({ api, actorId }) => {
      const rawKey = randomRawKey();
      const key = await api.importKey({ raw_key: rawKey, actor_id: actorId, scopes: ["a"], metadata: { b: 1 } });
      for (const algorithm of ALGORITHMS) {
        const { token, expire_time } = await api.derive(rawKey, { algorithm });
        expect(await api.verify(token)).toMatchObject({
          is_valid: true,
          key_id: key.key_id,
          scopes: ["a"],
          metadata: { b: 1 },
          expire_time,
          issuer: "latchkey",
        });
      }
    },
  },
  {
    name: "shows the key as it is now",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, scopes: ["a", "b"] });
      for (const algorithm of ALGORITHMS) {
        await api.update({ key_id: key.key_id, scopes: ["a", "b"] }, "scopes");
        const { token } = await api.derive(secret, { algorithm });
        expect((await api.verify(token)).scopes).toEqual(["a", "b"]);
        await api.update({ key_id: key.key_id, scopes: ["b", "c"], metadata: { new: algorithm } }, "scopes,metadata");
        expect(await api.verify(token)).toMatchObject({ scopes: ["b"], metadata: { new: algorithm } });
        await api.update({ key_id: key.key_id }, "scopes");
        expect(await api.verify(token)).toMatchObject({
          is_valid: false,
          error_code: "VERIFICATION_ERROR_REVOKED",
          key_id: key.key_id,
        });
      }
    },
  },
  {
    name: "ends every token of a revoked key at once",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const tokens = await Promise.all(
        ALGORITHMS.map(async (algorithm) => (await api.derive(secret, { algorithm })).token),
      );
      for (const token of tokens) expect((await api.verify(token)).is_valid).toBe(true);
      await api.revoke(key.key_id);
      const identity = { key_id: key.key_id, status: "KEY_STATUS_REVOKED" };
      for (const token of tokens) {
        expect(await api.verify(token)).toEqual(refusedVerification("REVOKED", "the key is revoked", identity));
      }
    },
  },
  {
    name: "keeps the tokens of a rotated key for its grace period, and ends them with it",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const tokens = await Promise.all(
        ALGORITHMS.map(async (algorithm) => (await api.derive(secret, { algorithm })).token),
      );
      await api.rotate(key.key_id, { grace_period: "3600s" });
      for (const token of tokens) expect(await api.verify(token)).toMatchObject({ is_valid: true, key_id: key.key_id });
      await api.revoke(key.key_id);
      for (const token of tokens) {
        expect(await api.verify(token)).toMatchObject({ error_code: "VERIFICATION_ERROR_REVOKED" });
      }
    },
  },
  {
    name: "ends the tokens of a deleted key, also when the same key is imported again",
    run: async ({ api, actorId }) => {
      const rawKey = randomRawKey();
      const request = { raw_key: rawKey, actor_id: actorId };
      const { key_id } = await api.importKey(request);
      const jwt = await api.derive(rawKey);
      const macaroon = await api.derive(rawKey, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
      for (const { token } of [jwt, macaroon]) expect((await api.verify(token)).is_valid).toBe(true);
      await api.deleteImported(key_id);
      expect(await api.verify(jwt.token)).toEqual(UNKNOWN);
      expect(await api.verify(macaroon.token)).toEqual(SIGNATURE_INVALID);

      // A JWT tells the second of its making and no more.
      await eventually("the next second", () => Date.now() >= (Number(jwt.claims.iat) + 1) * MS || undefined);
      expect((await api.importKey(request)).key_id).toBe(key_id);
      expect(await api.verify(jwt.token)).toEqual(UNKNOWN);
      expect(await api.verify(macaroon.token)).toEqual(SIGNATURE_INVALID);
    },
  },
  {
    name: "refuses a token when its life is over, though its key lives on",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const identity = { key_id: key.key_id, status: "KEY_STATUS_ACTIVE" };
      const expired = async (algorithm: string) => {
        const { token } = await api.derive(secret, { algorithm, ttl: "1s" });
        return eventually("the token to expire", async () => {
          const current = await api.verify(token);
          return current.is_valid === true ? undefined : current;
        });
      };
      for (const answer of await Promise.all(ALGORITHMS.map(expired))) {
        expect(answer).toEqual(refusedVerification("EXPIRED", "the credential is expired", identity));
      }
      expect((await api.verify(secret)).is_valid).toBe(true);
    },
  },
  {
    name: "takes a token that is up to 5 s ahead of its clock, and no more",
    run: async ({ api, actorId }) => {
      const { header, payload } = await deriveJwt(api, actorId);
      const at = (seconds: number) => {
        const iat = Math.floor(Date.now() / MS) + seconds;
        return signAsService(api.signingJwk, header, { ...payload, iat, nbf: iat, exp: iat + 60 });
      };
      expect(await api.verify(at(4))).toMatchObject({ is_valid: true });
      const identity = { key_id: String(payload.sub), status: "KEY_STATUS_ACTIVE" };
      expect(await api.verify(at(60))).toEqual(refusedVerification("EXPIRED", "the token is not valid yet", identity));
    },
  },
  {
    name: "does not know tokens that are older than their key, of another tenant, or without a key",
    run: async ({ api, actorId }) => {
      const { header, payload } = await deriveJwt(api, actorId);
      const iat = Number(payload.iat) - 10;
      for (const change of [
        { iat, nbf: iat },
        { nid: "01890000-0000-7000-8000-000000000000" },
        { sub: "01890000-0000-7000-8000-000000000000" },
        { sub: "ab".repeat(32) },
      ]) {
        expect(await api.verify(signAsService(api.signingJwk, header, { ...payload, ...change }))).toEqual(UNKNOWN);
      }
    },
  },
  {
    name: "allows no address for a list without networks, and keeps to the token's own networks",
    run: async ({ api, actorId }) => {
      const { header, payload } = await deriveJwt(api, actorId);
      for (const acl of [[], ["10.0.0.0/8"]]) {
        const token = signAsService(api.signingJwk, header, { ...payload, acl });
        expect((await api.verify(token)).error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
        expect((await api.verify(token, { client_ip: "10.1.2.3" })).is_valid).toBe(acl.length > 0);
      }
    },
  },
  ...forgeries([
    ["another signature", (jwt) => writeJwt({ ...jwt, signature: withOtherCharacter(jwt.signature) })],
    ["no signature", (jwt) => writeJwt({ ...jwt, signature: "" })],
    ["a signature cut short", (jwt) => writeJwt({ ...jwt, signature: jwt.signature.slice(0, -4) })],
    ["more scopes", (jwt) => writeJwt(withClaims(jwt, { scp: ["a", "admin"] }))],
    ["a later expiry", (jwt) => writeJwt(withClaims(jwt, { exp: Number(jwt.payload.exp) + 1 }))],
    ["another key", (jwt) => writeJwt(withClaims(jwt, { sub: "01890000-0000-7000-8000-000000000000" }))],
    ["alg none", ({ header, payload }) => writeJwt({ header: { ...header, alg: "none" }, payload, signature: "" })],
    [
      "alg none in capitals",
      ({ header, payload }) => writeJwt({ header: { ...header, alg: "None" }, payload, signature: "" }),
    ],
    ["alg RS256", (jwt) => writeJwt({ ...jwt, header: { ...jwt.header, alg: "RS256" } })],
    ["an unknown kid", ({ header, payload }, api) => signAsService(api.signingJwk, { ...header, kid: "x" }, payload)],
    [
      "a kid that is a path",
      ({ header, payload }, api) => signAsService(api.signingJwk, { ...header, kid: "../x" }, payload),
    ],
    [
      "a kid of a prototype",
      ({ header, payload }, api) => signAsService(api.signingJwk, { ...header, kid: "__proto__" }, payload),
    ],
    ["no kid", ({ header: { kid: _, ...header }, payload }, api) => signAsService(api.signingJwk, header, payload)],
    ["no typ", ({ header: { typ: _, ...header }, payload }, api) => signAsService(api.signingJwk, header, payload)],
    ["crit", ({ header, payload }, api) => signAsService(api.signingJwk, { ...header, crit: ["exp"] }, payload)],
    [
      "another issuer",
      ({ header, payload }, api) => signAsService(api.signingJwk, header, { ...payload, iss: "other" }),
    ],
    ["an audience", ({ header, payload }, api) => signAsService(api.signingJwk, header, { ...payload, aud: "other" })],
    [
      "an expiry in words",
      ({ header, payload }, api) => signAsService(api.signingJwk, header, { ...payload, exp: "never" }),
    ],
    ["no expiry", ({ header, payload: { exp: _, ...payload } }, api) => signAsService(api.signingJwk, header, payload)],
    [
      "an expiry of 1e300",
      ({ header, payload }, api) => signAsService(api.signingJwk, header, { ...payload, exp: 1e300 }),
    ],
    [
      "a key of somebody else",
      ({ header, payload }) => signWith(generateKeyPairSync("ed25519").privateKey, header, payload),
    ],
    ["a key that it brings along", ({ header, payload }) => withEmbeddedKey(header, payload)],
  ]),
  {
    name: "refuses a token that is signed with the public key as a secret",
    run: async ({ api, actorId }) => {
      const { header, payload } = await deriveJwt(api, actorId);
      const { keys } = (await api.ask("GetJwks", {})) as { keys: JsonObject[] };
      const jwk = keys[0] ?? {};
      const der = createPublicKey({ format: "jwk", key: jwk }).export({ format: "der", type: "spki" });
      const pem = createPublicKey({ format: "jwk", key: jwk }).export({ format: "pem", type: "spki" });
      for (const secret of [String(jwk.x), Buffer.from(String(jwk.x), "base64url"), JSON.stringify(jwk), der, pem]) {
        for (const alg of ["HS256", "EdDSA"]) {
          expect(await api.verify(signHs256(secret, { ...header, alg }, payload))).toEqual(SIGNATURE_INVALID);
        }
      }
    },
  },
];

function withClaims(jwt: JwtParts, change: Readonly<Record<string, Json>>): JwtParts {
  return { ...jwt, payload: { ...jwt.payload, ...change } };
}

function withEmbeddedKey(header: JsonObject, payload: JsonObject): string {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = publicKey.export({ format: "jwk" }) as JsonObject;
  return signWith(privateKey, { ...header, jwk }, payload);
}

async function deriveJwt(api: Api, actorId: string): Promise<JwtParts & TokenJson> {
  const { secret } = await api.issue({ actor_id: actorId, scopes: ["a"] });
  const derived = await api.derive(secret);
  return { ...derived, ...readJwt(derived.token) };
}

type Forgery = readonly [what: string, forge: (jwt: JwtParts, api: Api) => string];

/** None of them verifies, and none can be derived from; the token that they were made of still does. */
function forgeries(rows: readonly Forgery[]): Case[] {
  return rows.map(([what, forge]) => ({
    name: `refuses a JWT with ${what}`,
    run: async ({ api, actorId }: CaseContext) => {
      const jwt = await deriveJwt(api, actorId);
      const forged = forge(jwt, api);
      expect(forged).not.toBe(jwt.token);
      expect(await api.verify(forged)).toEqual(SIGNATURE_INVALID);
      const { reason } = await api.refusal("AdminDeriveToken", { credential: forged });
      expect(reason).toBe("SIGNATURE_INVALID");
      expect((await api.verify(jwt.token)).is_valid).toBe(true);
    },
  }));
}
