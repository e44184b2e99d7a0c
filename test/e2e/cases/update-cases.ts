import { expect } from "@jest/globals";
import { type Api, invalid, KEY_NOT_FOUND, type KeyJson, refused } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { IMPORTED_KEY_ID, KEY_ID_RULE, UNKNOWN_KEY_ID } from "./get-cases.js";

const UPDATABLE = "cannot be updated; what can is name, scopes, metadata, rate_limit_policy, ip_restriction";

export const updateCases: readonly Case[] = [
  {
    name: "changes the fields of the mask and no others",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const changed = await api.update(
        { key_id: key.key_id, name: "new", scopes: ["b", "c"], metadata: { z: 1 } },
        "name,scopes",
      );
      expect(changed).toEqual({ ...key, name: "new", scopes: ["b", "c"], update_time: changed.update_time });
      expect(Date.parse(changed.update_time)).toBeGreaterThanOrEqual(Date.parse(key.update_time));
      expect(await api.get(key.key_id)).toEqual(changed);
    },
  },
  {
    name: "clears a field of the mask that the request leaves out",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const { metadata, rate_limit_policy, ip_restriction, ...rest } = key;
      const changed = await api.update({ key_id: key.key_id }, "scopes,metadata,rate_limit_policy,ip_restriction");
      expect([metadata, rate_limit_policy, ip_restriction]).not.toContain(undefined);
      expect(changed).toEqual({ ...rest, scopes: [], update_time: changed.update_time });
      expect(await api.get(key.key_id)).toEqual(changed);
    },
  },
  {
    name: "takes * for every field that can be updated",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const changed = await api.update({ key_id: key.key_id, name: "only a name" }, "*");
      expect(changed).toEqual({
        key_id: key.key_id,
        name: "only a name",
        actor_id: actorId,
        scopes: [],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        create_time: key.create_time,
        update_time: changed.update_time,
        expire_time: key.expire_time,
        revocation_reason: "REVOCATION_REASON_UNSPECIFIED",
        revocation_description: "",
      });
    },
  },
  {
    name: "changes what the request holds when there is no mask, and ignores what cannot be changed",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const request = { key_id: key.key_id, metadata: { new: true }, actor_id: "other", status: "KEY_STATUS_REVOKED" };
      const changed = await api.update(request);
      expect(changed).toEqual({ ...key, metadata: { new: true }, update_time: changed.update_time });
    },
  },
  {
    name: "lets what get answers be changed and sent back",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const changed = await api.update({ ...(key as object as JsonObject), name: "edited" });
      expect(changed).toEqual({ ...key, name: "edited", update_time: changed.update_time });
    },
  },
  {
    name: "changes what verify tells",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      await api.update({ key_id: key.key_id, scopes: ["narrow"] }, "scopes");
      expect(await api.verify(secret)).toMatchObject({ is_valid: true, scopes: ["narrow"] });
    },
  },
  ...refusedPaths([
    ["key_id", "the identifier"],
    ["actor_id", "immutable"],
    ["visibility", "immutable"],
    ["status", "output only"],
    ["expire_time", "output only"],
    ["revocation_reason", "output only"],
    ["metadata.team", "a part of metadata"],
    ["scopes.0", "a part of scopes"],
    ["secret", "no such field"],
    ["issued_api_key.name", "no such field"],
    ["$set", "no such field"],
  ]),
  {
    name: "names each path of a mask that it refuses",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const request = { issued_api_key: { key_id: key.key_id, name: "new" }, update_mask: "status,name,nme,actor_id" };
      expect(await api.refusal("AdminUpdateIssuedApiKey", request)).toMatchObject({
        reason: "INVALID_UPDATE_MASK",
        message: `update_mask: "status" (output only), "nme" (no such field), "actor_id" (immutable) ${UPDATABLE}`,
      });
      expect(await api.get(key.key_id)).toEqual(key);
    },
  },
  {
    name: "refuses * beside other paths",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const request = { issued_api_key: { key_id: key.key_id, name: "new" }, update_mask: "*,name" };
      expect(await api.refusal("AdminUpdateIssuedApiKey", request)).toEqual(
        invalid("update_mask", '"*" stands for every field and cannot be combined', "INVALID_UPDATE_MASK"),
      );
    },
  },
  {
    name: "refuses wrong values with their path, and changes nothing",
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const wrong = { key_id: key.key_id, name: "new", ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "10/8"] } };
      expect(await api.refusal("AdminUpdateIssuedApiKey", { issued_api_key: wrong })).toEqual(
        invalid(
          "issued_api_key.ip_restriction.allowed_cidrs[1]",
          "must be a network in CIDR notation, such as 10.0.0.0/8",
        ),
      );
      const nameless = { issued_api_key: { key_id: key.key_id }, update_mask: "name" };
      expect(await api.refusal("AdminUpdateIssuedApiKey", nameless)).toEqual(
        invalid("issued_api_key.name", "is required"),
      );
      expect(await api.get(key.key_id)).toEqual(key);
    },
  },
  {
    name: "does not change a revoked key",
    run: async ({ api, actorId }) => {
      const { key_id } = await issueFull(api, actorId);
      await api.revoke(key_id);
      expect(await api.refusal("AdminUpdateIssuedApiKey", { issued_api_key: { key_id, name: "new" } })).toEqual(
        refused("FAILED_PRECONDITION", "KEY_NOT_ACTIVE", "the key is revoked, and revoked keys do not change"),
      );
    },
  },
  {
    name: "does not find unknown keys, and refuses malformed ids",
    run: async ({ api }) => {
      const refusal = (key_id: string) =>
        api.refusal("AdminUpdateIssuedApiKey", { issued_api_key: { key_id, name: "new" } });
      expect(await refusal(UNKNOWN_KEY_ID)).toEqual(KEY_NOT_FOUND);
      expect(await refusal(IMPORTED_KEY_ID)).toEqual(KEY_NOT_FOUND);
      expect(await refusal("nonsense")).toEqual(invalid("issued_api_key.key_id", KEY_ID_RULE));
    },
  },
];

/** Each with why. */
function refusedPaths(rows: readonly (readonly [path: string, refusal: string])[]): Case[] {
  return rows.map(([path, refusal]) => ({
    name: `refuses a mask with ${path}`,
    run: async ({ api, actorId }) => {
      const key = await issueFull(api, actorId);
      const request = { issued_api_key: { key_id: key.key_id, name: "new" }, update_mask: `name,${path}` };
      expect(await api.refusal("AdminUpdateIssuedApiKey", request)).toEqual(
        invalid("update_mask", `"${path}" (${refusal}) ${UPDATABLE}`, "INVALID_UPDATE_MASK"),
      );
      expect(await api.get(key.key_id)).toEqual(key);
    },
  }));
}

async function issueFull(api: Api, actorId: string): Promise<KeyJson> {
  const { issued_api_key: key } = await api.issue({
    name: "old",
    actor_id: actorId,
    scopes: ["a"],
    metadata: { team: "blue" },
    rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
    ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] },
    ttl: "3600s",
  });
  return key;
}
