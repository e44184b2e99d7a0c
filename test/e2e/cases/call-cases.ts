/** What holds for every call, whatever it asks for: who may make it, its id and its deadline. */
import { expect } from "@jest/globals";
import { invalid, refused } from "../api.js";
import type { JsonObject, Rpc } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { IMPORTED_KEY_ID, UNKNOWN_KEY_ID } from "./get-cases.js";

const UNAUTHENTICATED = refused("UNAUTHENTICATED", "UNAUTHENTICATED", "a valid bearer token is required");
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type Permission = "public" | "verify" | "read" | "write";

/** All 17 RPCs: what they need, a request, and the reason they answer it with; OK when they do. */
const RPCS: readonly (readonly [Rpc, Permission, JsonObject, string])[] = [
  ["AdminIssueApiKey", "write", { name: "key", actor_id: "reachable" }, "OK"],
  ["AdminGetIssuedApiKey", "read", { key_id: UNKNOWN_KEY_ID }, "API_KEY_NOT_FOUND"],
  ["AdminListIssuedApiKeys", "read", { page_size: 1 }, "OK"],
  ["AdminUpdateIssuedApiKey", "write", { issued_api_key: { key_id: UNKNOWN_KEY_ID, name: "x" } }, "API_KEY_NOT_FOUND"],
  ["AdminRotateIssuedApiKey", "write", { key_id: UNKNOWN_KEY_ID }, "API_KEY_NOT_FOUND"],
  ["AdminImportApiKey", "write", { raw_key: "raw", name: "x", actor_id: "y", ttl: "-1s" }, "INVALID_ARGUMENT"],
  ["AdminBatchImportApiKeys", "write", { requests: [{ raw_key: "raw" }] }, "INVALID_ARGUMENT"],
  ["AdminGetImportedApiKey", "read", { key_id: IMPORTED_KEY_ID }, "API_KEY_NOT_FOUND"],
  ["AdminListImportedApiKeys", "read", { page_size: 1 }, "OK"],
  [
    "AdminUpdateImportedApiKey",
    "write",
    { imported_api_key: { key_id: IMPORTED_KEY_ID, name: "x" } },
    "API_KEY_NOT_FOUND",
  ],
  ["AdminDeleteImportedApiKey", "write", { key_id: IMPORTED_KEY_ID }, "API_KEY_NOT_FOUND"],
  ["AdminRevokeApiKey", "write", { key_id: UNKNOWN_KEY_ID }, "API_KEY_NOT_FOUND"],
  ["AdminVerifyApiKey", "verify", { credential: "unknown" }, "OK"],
  ["AdminBatchVerifyApiKeys", "verify", { requests: [{ credential: "unknown" }] }, "OK"],
  ["AdminDeriveToken", "write", { credential: "unknown", ttl: "60s", custom_claims: { a: 1 } }, "PARENT_KEY_INVALID"],
  ["GetJwks", "public", {}, "OK"],
  ["RevokeApiKey", "public", {}, "CREDENTIAL_REQUIRED"],
];

const ALLOWED: Readonly<Record<"verifier" | "reader" | "admin", readonly Permission[]>> = {
  verifier: ["public", "verify"],
  reader: ["public", "verify", "read"],
  admin: ["public", "verify", "read", "write"],
};

export const callCases: readonly Case[] = [
  ...RPCS.map(
    ([rpc, permission, request, reason]): Case => ({
      name: `${rpc} can be reached, by those who may`,
      run: async ({ api }) => {
        for (const role of ["verifier", "reader", "admin"] as const) {
          const outcome = await api.call(rpc, request, { token: api.tokens[role] });
          const { code, reason: answered, message } = outcome.ok ? { code: "OK", reason: "OK", message: "" } : outcome;
          if (!ALLOWED[role].includes(permission)) {
            expect({ code, reason: answered, message, fields: [] }).toEqual(
              refused("PERMISSION_DENIED", "FORBIDDEN", `the role ${role} may not call this method`),
            );
          } else expect(answered).toBe(reason);
        }
      },
    }),
  ),
  {
    name: "asks for a bearer token before anything else",
    run: async ({ api, actorId }) => {
      for (const [rpc, permission, request] of RPCS) {
        if (permission === "public") continue;
        expect(await api.refusal(rpc, request, { token: undefined })).toEqual(UNAUTHENTICATED);
      }
      const wrong: Record<string, string>[] = [
        { authorization: `Bearer ${api.tokens.admin}x` },
        { authorization: "Bearer" },
        { authorization: api.tokens.admin },
        { authorization: `Basic ${api.tokens.admin}` },
        { authorization: `Bearer ${api.tokens.admin} ${api.tokens.admin}` },
      ];
      for (const headers of wrong) {
        const request = { name: "key", actor_id: actorId };
        expect(await api.refusal("AdminIssueApiKey", request, { token: undefined, headers })).toEqual(UNAUTHENTICATED);
      }
      expect((await api.list({ filter: `actor_id="${actorId}"` })).issued_api_keys).toEqual([]);
    },
  },
  {
    name: "does not mind the case of the bearer scheme",
    run: async ({ api }) => {
      const headers = { authorization: `bearer ${api.tokens.verifier}` };
      const answer = await api.ask("AdminVerifyApiKey", { credential: "unknown" }, { token: undefined, headers });
      expect(answer.is_valid).toBe(false);
    },
  },
  {
    name: "asks for no token where none is needed, and does not mind a wrong one",
    run: async ({ api, actorId }) => {
      for (const token of [undefined, "wrong"]) {
        expect((await api.call("GetJwks", {}, { token })).ok).toBe(true);
        const { secret } = await api.issue({ actor_id: actorId });
        expect(await api.ask("RevokeApiKey", { credential: secret }, { token })).toEqual({});
      }
    },
  },
  {
    name: "answers with the caller's request id, or with one of its own",
    run: async ({ api }) => {
      const headers = { "x-request-id": "trace:42/a.b_c+d=-" };
      const request = { credential: "unknown" };
      const good = await api.call("AdminVerifyApiKey", request, { headers });
      expect(good.headers.get("x-request-id")).toBe(headers["x-request-id"]);
      const bad = await api.call("AdminVerifyApiKey", {}, { headers });
      expect([bad.ok, bad.headers.get("x-request-id")]).toEqual([false, headers["x-request-id"]]);
      const stranger = await api.call("AdminVerifyApiKey", request, { token: undefined, headers });
      expect([stranger.ok, stranger.headers.get("x-request-id")]).toEqual([false, headers["x-request-id"]]);

      const made = (await api.call("AdminVerifyApiKey", request)).headers.get("x-request-id");
      expect(made).toMatch(UUID);
      expect((await api.call("AdminVerifyApiKey", request)).headers.get("x-request-id")).not.toBe(made);
      for (const id of ["two words", "x".repeat(129)]) {
        const replaced = await api.call("AdminVerifyApiKey", request, { headers: { "x-request-id": id } });
        expect(replaced.headers.get("x-request-id")).toMatch(UUID);
      }
    },
  },
  {
    name: "refuses a timeout that it cannot read, and one that is over",
    run: async ({ api, actorId }) => {
      const request = { name: "key", actor_id: actorId };
      for (const [name, value] of [
        ["connect-timeout-ms", "soon"],
        ["connect-timeout-ms", "12345678901"],
        ["connect-timeout-ms", "-1"],
      ] as const) {
        expect(await api.refusal("AdminIssueApiKey", request, { headers: { [name]: value } })).toEqual(
          invalid(name, "is not a valid timeout"),
        );
      }
      expect(await api.refusal("AdminIssueApiKey", request, { headers: { "connect-timeout-ms": "0" } })).toEqual(
        refused("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "the deadline passed before the call began"),
      );
      expect((await api.list({ filter: `actor_id="${actorId}"` })).issued_api_keys).toEqual([]);
      const answer = await api.ask(
        "AdminVerifyApiKey",
        { credential: "x" },
        { headers: { "connect-timeout-ms": "9999" } },
      );
      expect(answer.is_valid).toBe(false);
    },
  },
];
