import { expect } from "@jest/globals";
import { type Api, invalid, KEY_NOT_FOUND, type KeyJson, refused } from "../api.js";
import { eventually } from "../eventually.js";
import type { Case } from "./case.js";
import { fullKey } from "./full-key.js";
import { IMPORTED_KEY_ID, KEY_ID_RULE, UNKNOWN_KEY_ID } from "./get-cases.js";

const ROTATABLE =
  "cannot be updated; what can is name, scopes, metadata, rate_limit_policy, ip_restriction, visibility";
const GRACE_RULE = invalid("grace_period", "must be 0s to 30 days");

export const rotateCases: readonly Case[] = [
  {
    name: "replaces a key by one that inherits everything, and revokes the old one at once",
    run: async ({ api, actorId }) => {
      const { key, secret } = await issueFull(api, actorId);
      const rotated = await api.rotate(key.key_id);
      const { issued_api_key: next, old_issued_api_key: old } = rotated;

      expect(next.key_id).not.toBe(key.key_id);
      const { key_id, create_time, update_time, expire_time } = next;
      expect(next).toEqual({ ...key, key_id, create_time, update_time, expire_time });
      expect(lifetime(next)).toBe(lifetime(key));
      expect(old).toEqual({
        ...key,
        status: "KEY_STATUS_REVOKED",
        revocation_reason: "REVOCATION_REASON_SUPERSEDED",
        update_time: old.update_time,
      });
      expect(await api.get(key.key_id)).toEqual(old);
      expect(await api.get(next.key_id)).toEqual(next);
      expect(await api.verify(rotated.secret)).toMatchObject({ is_valid: true, key_id: next.key_id });
      expect(await api.verify(secret)).toMatchObject({ is_valid: false, error_code: "VERIFICATION_ERROR_REVOKED" });
    },
  },
  {
    name: "takes from the request what it holds",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      const { issued_api_key: next } = await api.rotate(key.key_id, { name: "new", metadata: { new: true } });
      expect(next).toMatchObject({ name: "new", metadata: { new: true }, scopes: key.scopes, actor_id: actorId });
      expect(next.metadata).toEqual({ new: true });
    },
  },
  {
    name: "takes from the request what the mask names, even when it is empty there",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      const { issued_api_key: next } = await api.rotate(key.key_id, {
        name: "not in the mask",
        scopes: ["new"],
        update_mask: "scopes,metadata,ip_restriction",
      });
      const { metadata, ip_restriction, ...kept } = key;
      expect([metadata, ip_restriction]).not.toContain(undefined);
      const { key_id, create_time, update_time, expire_time } = next;
      expect(next).toEqual({ ...kept, scopes: ["new"], key_id, create_time, update_time, expire_time });
    },
  },
  {
    name: "makes a public key of a secret one when asked to",
    server: "tuned",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      const { issued_api_key: next, secret } = await api.rotate(key.key_id, { visibility: "KEY_VISIBILITY_PUBLIC" });
      expect(next.visibility).toBe("KEY_VISIBILITY_PUBLIC");
      expect(secret).toMatch(/^pub_v1_/);
    },
  },
  {
    name: "keeps the old key for a grace period",
    run: async ({ api, actorId }) => {
      const { key, secret } = await issueFull(api, actorId);
      const { old_issued_api_key: old, ...rotated } = await api.rotate(key.key_id, { grace_period: "2592000s" });
      expect(old).toEqual({ ...key, update_time: old.update_time });
      expect(await api.verify(secret)).toMatchObject({ is_valid: true, key_id: key.key_id });
      expect(await api.verify(rotated.secret)).toMatchObject({ is_valid: true, key_id: rotated.issued_api_key.key_id });
      expect(await refusal(api, key.key_id)).toEqual(
        refused("FAILED_PRECONDITION", "KEY_NOT_ACTIVE", "the key was rotated before; rotate its successor"),
      );
      // The grace ends early for a key that turns out to be lost.
      await api.revoke(key.key_id, { reason: "REVOCATION_REASON_KEY_COMPROMISE" });
      expect(await api.verify(secret)).toMatchObject({ is_valid: false, error_code: "VERIFICATION_ERROR_REVOKED" });
      expect((await api.get(key.key_id)).revocation_reason).toBe("REVOCATION_REASON_KEY_COMPROMISE");
    },
  },
  {
    name: "revokes the old key when the grace period ends",
    run: async ({ api, actorId }) => {
      const { key, secret } = await issueFull(api, actorId);
      const filter = `actor_id="${actorId}" AND status=KEY_STATUS_REVOKED`;
      await api.rotate(key.key_id, { grace_period: "0.3s" });
      const old = await eventually("the end of the grace period", async () => {
        const current = await api.get(key.key_id);
        return current.status === "KEY_STATUS_ACTIVE" ? undefined : current;
      });
      expect(old).toMatchObject({ status: "KEY_STATUS_REVOKED", revocation_reason: "REVOCATION_REASON_SUPERSEDED" });
      expect(await api.verify(secret)).toMatchObject({ is_valid: false, error_code: "VERIFICATION_ERROR_REVOKED" });
      expect((await api.list({ filter })).issued_api_keys).toEqual([old]);
    },
  },
  {
    name: "refuses a grace period that is negative or above 30 days",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      expect(await refusal(api, key.key_id, { grace_period: "-1s" })).toEqual(GRACE_RULE);
      expect(await refusal(api, key.key_id, { grace_period: "2592000.001s" })).toEqual(GRACE_RULE);
      expect(await api.get(key.key_id)).toEqual(key);
    },
  },
  {
    name: "refuses wrong overrides, and rotates nothing",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      expect(await refusal(api, key.key_id, { update_mask: "actor_id" })).toEqual(
        invalid("update_mask", `"actor_id" (immutable) ${ROTATABLE}`, "INVALID_UPDATE_MASK"),
      );
      expect(await refusal(api, key.key_id, { update_mask: "name" })).toEqual(invalid("name", "is required"));
      expect(await refusal(api, key.key_id, { ip_restriction: { allowed_cidrs: ["::/0", "x"] } })).toEqual(
        invalid("ip_restriction.allowed_cidrs[1]", "must be a network in CIDR notation, such as 10.0.0.0/8"),
      );
      expect(await refusal(api, key.key_id, { visibility: "KEY_VISIBILITY_PUBLIC" })).toEqual(
        invalid("visibility", "KEY_VISIBILITY_PUBLIC needs keys.public_prefix in the server's configuration"),
      );
      const { issued_api_keys: keys } = await api.list({ filter: `actor_id="${actorId}"` });
      expect(keys).toEqual([key]);
    },
  },
  {
    name: "refuses a key that is revoked or was rotated before; its successor can be rotated",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      const { issued_api_key: next } = await api.rotate(key.key_id);
      expect(await refusal(api, key.key_id)).toEqual(notActive("revoked"));
      const { issued_api_key: last } = await api.rotate(next.key_id);
      await api.revoke(last.key_id);
      expect(await refusal(api, last.key_id)).toEqual(notActive("revoked"));
    },
  },
  {
    name: "lets one of several rotations at a time win",
    run: async ({ api, actorId }) => {
      const { key } = await issueFull(api, actorId);
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, () => api.call("AdminRotateIssuedApiKey", { key_id: key.key_id })),
      );
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      const reasons = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason]));
      for (const reason of reasons) expect(["KEY_NOT_ACTIVE", "CONCURRENT_CHANGE"]).toContain(reason);
      const { issued_api_keys: keys } = await api.list({ filter: `actor_id="${actorId}"` });
      expect(keys.map(({ status }) => status).sort()).toEqual(["KEY_STATUS_ACTIVE", "KEY_STATUS_REVOKED"]);
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

export function notActive(status: "revoked" | "expired") {
  return refused("FAILED_PRECONDITION", "KEY_NOT_ACTIVE", `the key is ${status}, and cannot be rotated`);
}

function refusal(api: Api, keyId: string, request: Parameters<Api["rotate"]>[1] = {}) {
  return api.refusal("AdminRotateIssuedApiKey", { key_id: keyId, ...request });
}

async function issueFull(api: Api, actorId: string): Promise<{ key: KeyJson; secret: string }> {
  const { issued_api_key: key, secret } = await api.issue(fullKey(actorId));
  return { key, secret };
}

function lifetime({ create_time, expire_time = "" }: KeyJson): number {
  return Date.parse(expire_time) - Date.parse(create_time);
}
