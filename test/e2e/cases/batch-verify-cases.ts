import { expect } from "@jest/globals";
import { invalid } from "../api.js";
import type { Case } from "./case.js";
import { randomRawKey } from "./raw-key.js";
import { refusedVerification, UNKNOWN } from "./verify-cases.js";

const MAX_REQUESTS = 100;
const MAX_CREDENTIAL_BYTES = 16_384;

export const batchVerifyCases: readonly Case[] = [
  {
    name: "answers each request in its place as verify would",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId, scopes: ["a"], metadata: { b: 1 }, ttl: "60s" });
      const { issued_api_key: revoked, secret: revokedSecret } = await api.issue({ actor_id: actorId });
      await api.revoke(revoked.key_id);
      const rawKey = randomRawKey();
      await api.importKey({ raw_key: rawKey, actor_id: actorId });
      const { token: jwt } = await api.derive(secret);
      const { token: macaroon } = await api.derive(rawKey, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
      const credentials = [revokedSecret, secret, "unknown-credential", rawKey, jwt, `${secret}1`, macaroon, secret];

      const results = await api.batchVerify(credentials.map((credential) => ({ credential })));
      expect(results).toEqual(await Promise.all(credentials.map((credential) => api.verify(credential))));
      expect(results.map(({ is_valid }) => is_valid)).toEqual([false, true, false, true, true, false, true, true]);
      expect(results[7]).toEqual(results[1]);
    },
  },
  {
    name: "says in its place what verify would refuse",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const results = await api.batchVerify([
        { credential: secret },
        {},
        { credential: secret, client_ip: "10.0.0.0/8" },
        { credential: "x".repeat(MAX_CREDENTIAL_BYTES + 1) },
        { credential: "unknown-credential" },
        { credential: secret, client_ip: "2001:db8::1" },
      ]);
      expect(results[0]).toMatchObject({ is_valid: true });
      expect(results.slice(1, 5)).toEqual([
        refusedVerification("INVALID_FORMAT", "credential: is required"),
        refusedVerification("INVALID_FORMAT", "client_ip: must be an IPv4 or IPv6 address"),
        refusedVerification("INVALID_FORMAT", `credential: must be at most ${MAX_CREDENTIAL_BYTES} bytes`),
        UNKNOWN,
      ]);
      expect(results[5]).toMatchObject({ is_valid: true });
    },
  },
  {
    name: "looks at each request's own address",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId, ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] } });
      const results = await api.batchVerify([
        { credential: secret, client_ip: "10.1.2.3" },
        { credential: secret, client_ip: "192.0.2.1" },
        { credential: secret },
        { credential: secret, client_ip: "10.1.2.3" },
      ]);
      expect(results.map(({ error_code }) => error_code)).toEqual([
        "VERIFICATION_ERROR_UNSPECIFIED",
        "VERIFICATION_ERROR_IP_NOT_ALLOWED",
        "VERIFICATION_ERROR_IP_NOT_ALLOWED",
        "VERIFICATION_ERROR_UNSPECIFIED",
      ]);
    },
  },
  {
    name: "takes 1 to 100 requests",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      expect(await api.refusal("AdminBatchVerifyApiKeys", { requests: [] })).toEqual(
        invalid("requests", "is required"),
      );
      const requests = Array.from({ length: MAX_REQUESTS }, () => ({ credential: secret }));
      expect(await api.refusal("AdminBatchVerifyApiKeys", { requests: [...requests, {}] })).toEqual(
        invalid("requests", `must be at most ${MAX_REQUESTS} requests`),
      );
      const results = await api.batchVerify(requests);
      expect(results).toHaveLength(MAX_REQUESTS);
      expect(new Set(results.map(({ is_valid }) => is_valid))).toEqual(new Set([true]));
    },
  },
  {
    name: "takes 100 credentials of the longest kind",
    run: async ({ api }) => {
      const longest = "x".repeat(MAX_CREDENTIAL_BYTES);
      const results = await api.batchVerify(Array.from({ length: MAX_REQUESTS }, () => ({ credential: longest })));
      expect(results).toEqual(Array.from({ length: MAX_REQUESTS }, () => UNKNOWN));
    },
  },
  {
    name: "sees a revocation that came before it, and no later than that",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      expect(await api.batchVerify([{ credential: secret }])).toMatchObject([{ is_valid: true }]);
      await api.revoke(key.key_id);
      expect(await api.batchVerify([{ credential: secret }, { credential: secret }])).toMatchObject([
        { error_code: "VERIFICATION_ERROR_REVOKED" },
        { error_code: "VERIFICATION_ERROR_REVOKED" },
      ]);
    },
  },
];
