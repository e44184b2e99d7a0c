import { expect } from "@jest/globals";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { withOtherCharacter } from "./token-parts.js";

export const jwksCases: readonly Case[] = [
  {
    name: "shows the public signing keys to everybody, twice, and says how long they may be kept",
    run: async ({ api }) => {
      for (const token of [undefined, "wrong", api.tokens.verifier]) {
        const outcome = await api.call("GetJwks", {}, { token });
        const { kid, x } = api.signingJwk ?? {};
        const keys = [{ kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" }];
        expect(outcome.ok && outcome.response).toEqual({ keys, jwks: { keys } });
        expect(outcome.headers.get("cache-control")).toBe("public, max-age=300");
        expect(outcome.headers.get("etag")).toMatch(/^"[\w-]+"$/);
      }
    },
  },
  {
    name: "is all that a stranger needs to check a JWT",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId, scopes: ["a"] });
      const { token, claims } = await api.derive(secret, { custom_claims: { order: 7 } });
      const { jwks } = (await api.ask("GetJwks", {})) as { jwks: JsonObject };
      const keySet = createLocalJWKSet(jwks as object as JSONWebKeySet);
      const { payload } = await jwtVerify(token, keySet, { issuer: "latchkey", algorithms: ["EdDSA"] });
      expect(payload).toEqual(claims);
      const forged = token.slice(0, -20) + withOtherCharacter(token.slice(-20));
      await expect(jwtVerify(forged, keySet)).rejects.toThrow("signature verification failed");
    },
  },
];
