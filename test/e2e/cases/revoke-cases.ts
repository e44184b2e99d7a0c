import { expect } from "@jest/globals";
import { type Api, invalid, KEY_NOT_FOUND } from "../api.js";
import type { Case } from "./case.js";
import { IMPORTED_KEY_ID, KEY_ID_RULE, UNKNOWN_KEY_ID } from "./get-cases.js";

export const revokeCases: readonly Case[] = [
  {
    name: "revokes for good; a second revocation succeeds and changes nothing",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      expect(await api.revoke(key.key_id, { reason: "REVOCATION_REASON_KEY_COMPROMISE" })).toEqual({});
      const revoked = await api.get(key.key_id);
      expect(revoked).toEqual({
        ...key,
        status: "KEY_STATUS_REVOKED",
        revocation_reason: "REVOCATION_REASON_KEY_COMPROMISE",
        update_time: revoked.update_time,
      });
      expect(await api.revoke(key.key_id, { reason: "REVOCATION_REASON_AFFILIATION_CHANGED" })).toEqual({});
      expect(await api.get(key.key_id)).toEqual(revoked);
      expect(await api.verify(secret)).toMatchObject({ is_valid: false, error_code: "VERIFICATION_ERROR_REVOKED" });
    },
  },
  {
    name: "takes every reason",
    run: async ({ api, actorId }) => {
      for (const reason of [
        "UNSPECIFIED",
        "KEY_COMPROMISE",
        "AFFILIATION_CHANGED",
        "SUPERSEDED",
        "PRIVILEGE_WITHDRAWN",
      ]) {
        const { issued_api_key: key } = await api.issue({ actor_id: actorId });
        await api.revoke(key.key_id, { reason: `REVOCATION_REASON_${reason}` });
        expect((await api.get(key.key_id)).revocation_reason).toBe(`REVOCATION_REASON_${reason}`);
      }
    },
  },
  {
    name: "keeps a description with PRIVILEGE_WITHDRAWN, and refuses one with any other reason",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      const rule = invalid("description", "is allowed only with REVOCATION_REASON_PRIVILEGE_WITHDRAWN");
      expect(await refusal(api, key.key_id, { description: "why" })).toEqual(rule);
      expect(await refusal(api, key.key_id, { description: "why", reason: "REVOCATION_REASON_SUPERSEDED" })).toEqual(
        rule,
      );
      const reason = "REVOCATION_REASON_PRIVILEGE_WITHDRAWN";
      expect(await refusal(api, key.key_id, { description: "é".repeat(256), reason })).toEqual(
        invalid("description", "must be at most 255 characters"),
      );
      expect(await api.get(key.key_id)).toEqual(key);
      await api.revoke(key.key_id, { description: "é".repeat(255), reason });
      expect(await api.get(key.key_id)).toMatchObject({
        revocation_reason: reason,
        revocation_description: "é".repeat(255),
      });
    },
  },
  {
    name: "counts the description's characters, not their code units",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      const description = "🔑".repeat(255);
      await api.revoke(key.key_id, { description, reason: "REVOCATION_REASON_PRIVILEGE_WITHDRAWN" });
      expect((await api.get(key.key_id)).revocation_description).toBe(description);
    },
  },
  {
    name: "revokes through a collection only the keys of its kind",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      expect(await refusal(api, key.key_id, { collection: "importedApiKeys" })).toEqual(KEY_NOT_FOUND);
      expect((await api.get(key.key_id)).status).toBe("KEY_STATUS_ACTIVE");
      await api.revoke(key.key_id, { collection: "issuedApiKeys" });
      expect((await api.get(key.key_id)).status).toBe("KEY_STATUS_REVOKED");
      expect(await refusal(api, key.key_id, { collection: "importedApiKeys" })).toEqual(KEY_NOT_FOUND);
    },
  },
  {
    name: "does not find unknown keys, and refuses malformed ids",
    run: async ({ api }) => {
      expect(await refusal(api, UNKNOWN_KEY_ID)).toEqual(KEY_NOT_FOUND);
      expect(await refusal(api, IMPORTED_KEY_ID)).toEqual(KEY_NOT_FOUND);
      expect(await refusal(api, "nonsense")).toEqual(invalid("key_id", KEY_ID_RULE));
    },
  },
];

function refusal(api: Api, keyId: string, request: Parameters<Api["revoke"]>[1] = {}) {
  return api.refusal("AdminRevokeApiKey", { key_id: keyId, ...request });
}
