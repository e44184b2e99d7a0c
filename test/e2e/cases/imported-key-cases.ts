/** What becomes of an imported key: get, list, update, revoke, delete, verify; and that its kind is told from issued keys. */
import { expect } from "@jest/globals";
import { type Api, invalid, KEY_NOT_FOUND, type KeyJson, refused } from "../api.js";
import { eventually } from "../eventually.js";
import type { Case } from "./case.js";
import { fullKey } from "./full-key.js";
import { IMPORTED_KEY_ID, KEY_ID_RULE, UNKNOWN_KEY_ID } from "./get-cases.js";
import { randomRawKey } from "./raw-key.js";
import { refusedVerification, UNKNOWN } from "./verify-cases.js";
import { walkPages } from "./walk-pages.js";

const UPDATABLE = "cannot be updated; what can is name, scopes, metadata, rate_limit_policy, ip_restriction";

export const importedKeyCases: readonly Case[] = [
  {
    name: "lists imported keys apart from issued ones, newest first, page by page",
    run: async ({ api, actorId }) => {
      const filter = `actor_id="${actorId}"`;
      await api.issue({ actor_id: actorId });
      const ids: string[] = [];
      for (let index = 0; index < 5; index++) {
        ids.push((await api.importKey({ raw_key: randomRawKey(), actor_id: actorId })).key_id);
      }
      const pages = await walkPages(async (page_token) => {
        const { imported_api_keys: keys, next_page_token } = await api.listImported({
          filter,
          page_size: 2,
          page_token,
        });
        return { keys, next_page_token };
      });
      const listed = pages.flat();
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
      expect(listed.map(({ key_id }) => key_id).sort()).toEqual([...ids].sort());
      const times = listed.map(({ create_time }) => Date.parse(create_time));
      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect(await api.getImported(ids[0] ?? "")).toEqual(listed.find(({ key_id }) => key_id === ids[0]));
      expect((await api.list({ filter })).issued_api_keys).toHaveLength(1);
    },
  },
  {
    name: "lists by status",
    run: async ({ api, actorId }) => {
      const [first, second] = [await importFull(api, actorId), await importFull(api, actorId)];
      await api.revoke(first.key.key_id);
      const ids = async (status: string) => {
        const filter = `actor_id="${actorId}" AND status=KEY_STATUS_${status}`;
        return (await api.listImported({ filter })).imported_api_keys.map(({ key_id }) => key_id);
      };
      expect(await ids("ACTIVE")).toEqual([second.key.key_id]);
      expect(await ids("REVOKED")).toEqual([first.key.key_id]);
      expect(await ids("EXPIRED")).toEqual([]);
    },
  },
  {
    name: "takes no page token of the list of issued keys, and refuses what that list refuses",
    run: async ({ api, actorId }) => {
      const filter = `actor_id="${actorId}"`;
      for (let index = 0; index < 2; index++) await api.issue({ actor_id: actorId });
      const { next_page_token: token } = await api.list({ filter, page_size: 1 });
      expect(await api.refusal("AdminListImportedApiKeys", { filter, page_token: token })).toEqual(
        invalid("page_token", "is not a next_page_token of this list with this filter", "INVALID_PAGE_TOKEN"),
      );
      expect(await api.refusal("AdminListImportedApiKeys", { page_size: -1 })).toEqual(
        invalid("page_size", "must not be negative"),
      );
      const { reason } = await api.refusal("AdminListImportedApiKeys", { filter: "nme=x" });
      expect(reason).toBe("INVALID_FILTER");
    },
  },
  {
    name: "updates the fields of the mask and no others",
    run: async ({ api, actorId }) => {
      const { key, rawKey } = await importFull(api, actorId);
      const changed = await api.updateImported(
        { key_id: key.key_id, name: "new", scopes: ["b", "c"], metadata: { z: 1 } },
        "name,scopes",
      );
      expect(changed).toEqual({ ...key, name: "new", scopes: ["b", "c"], update_time: changed.update_time });
      expect(await api.getImported(key.key_id)).toEqual(changed);
      expect(await api.verify(rawKey)).toMatchObject({ is_valid: true, scopes: ["b", "c"] });
    },
  },
  {
    name: "updates what the request holds when there is no mask, and everything for *",
    run: async ({ api, actorId }) => {
      const { key } = await importFull(api, actorId);
      const changed = await api.updateImported({ key_id: key.key_id, metadata: { new: true }, actor_id: "other" });
      expect(changed).toEqual({ ...key, metadata: { new: true }, update_time: changed.update_time });
      const { metadata, rate_limit_policy, ip_restriction, ...rest } = changed;
      expect([metadata, rate_limit_policy, ip_restriction]).not.toContain(undefined);
      const bare = await api.updateImported({ key_id: key.key_id, name: "only a name" }, "*");
      expect(bare).toEqual({ ...rest, name: "only a name", scopes: [], update_time: bare.update_time });
    },
  },
  {
    name: "refuses wrong updates with their path, and changes nothing",
    run: async ({ api, actorId }) => {
      const { key } = await importFull(api, actorId);
      const { key_id } = key;
      expect(
        await updateRefusal(api, { key_id, name: "new", ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "10/8"] } }),
      ).toEqual(
        invalid(
          "imported_api_key.ip_restriction.allowed_cidrs[1]",
          "must be a network in CIDR notation, such as 10.0.0.0/8",
        ),
      );
      const masked = { imported_api_key: { key_id, name: "new" }, update_mask: "name,visibility" };
      expect(await api.refusal("AdminUpdateImportedApiKey", masked)).toEqual(
        invalid("update_mask", `"visibility" (output only) ${UPDATABLE}`, "INVALID_UPDATE_MASK"),
      );
      expect(await updateRefusal(api, { key_id: "nonsense" })).toEqual(invalid("imported_api_key.key_id", KEY_ID_RULE));
      expect(await updateRefusal(api, { key_id: IMPORTED_KEY_ID, name: "x" })).toEqual(KEY_NOT_FOUND);
      expect(await api.getImported(key_id)).toEqual(key);
    },
  },
  {
    name: "revokes through apiKeys and importedApiKeys, and not through issuedApiKeys",
    run: async ({ api, actorId }) => {
      for (const path of [{}, { collection: "importedApiKeys" }]) {
        const { key, rawKey } = await importFull(api, actorId);
        const refusal = await api.refusal("AdminRevokeApiKey", { key_id: key.key_id, collection: "issuedApiKeys" });
        expect(refusal).toEqual(KEY_NOT_FOUND);
        expect(await api.getImported(key.key_id)).toEqual(key);

        const reason = "REVOCATION_REASON_PRIVILEGE_WITHDRAWN";
        expect(await api.revoke(key.key_id, { ...path, reason, description: "why" })).toEqual({});
        const revoked = await api.getImported(key.key_id);
        expect(revoked).toEqual({
          ...key,
          status: "KEY_STATUS_REVOKED",
          revocation_reason: reason,
          revocation_description: "why",
          update_time: revoked.update_time,
        });
        expect(await api.revoke(key.key_id, path)).toEqual({});
        expect(await api.getImported(key.key_id)).toEqual(revoked);
        const identity = { key_id: key.key_id, status: "KEY_STATUS_REVOKED" };
        expect(await api.verify(rawKey)).toEqual(refusedVerification("REVOKED", "the key is revoked", identity));
        expect(await updateRefusal(api, { key_id: key.key_id, name: "new" })).toEqual(
          refused("FAILED_PRECONDITION", "KEY_NOT_ACTIVE", "the key is revoked, and revoked keys do not change"),
        );
      }
    },
  },
  {
    name: "deletes a key, active or revoked: it is unknown from then on",
    run: async ({ api, actorId }) => {
      for (const isRevoked of [false, true]) {
        const { key, rawKey } = await importFull(api, actorId);
        const { key_id } = key;
        expect(await api.verify(rawKey)).toMatchObject({ is_valid: true, key_id });
        if (isRevoked) await api.revoke(key_id);
        expect(await api.deleteImported(key_id)).toEqual({});

        expect(await api.verify(rawKey)).toEqual(UNKNOWN);
        expect(await api.refusal("AdminGetImportedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
        expect(await api.refusal("AdminDeleteImportedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
        expect(await api.refusal("AdminRevokeApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
        expect(await updateRefusal(api, { key_id, name: "new" })).toEqual(KEY_NOT_FOUND);
        expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toEqual([]);

        const again = await api.importKey({ raw_key: rawKey, actor_id: actorId });
        expect(again).toMatchObject({ key_id, status: "KEY_STATUS_ACTIVE", name: "key" });
        expect(again.revocation_reason).toBe("REVOCATION_REASON_UNSPECIFIED");
        expect(await api.verify(rawKey)).toMatchObject({ is_valid: true, key_id, scopes: [] });
        await api.deleteImported(key_id);
      }
    },
  },
  {
    name: "finds no imported key through the paths of issued ones",
    run: async ({ api, actorId }) => {
      const { key, rawKey } = await importFull(api, actorId);
      const { key_id } = key;
      expect(await api.refusal("AdminGetIssuedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
      expect(await api.refusal("AdminUpdateIssuedApiKey", { issued_api_key: { key_id, name: "new" } })).toEqual(
        KEY_NOT_FOUND,
      );
      expect(await api.refusal("AdminRotateIssuedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
      expect(await api.getImported(key_id)).toEqual(key);
      expect(await api.verify(rawKey)).toMatchObject({ is_valid: true });
    },
  },
  {
    name: "finds no issued key through the paths of imported ones",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const { key_id } = key;
      expect(await api.refusal("AdminGetImportedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
      expect(await updateRefusal(api, { key_id, name: "new" })).toEqual(KEY_NOT_FOUND);
      expect(await api.refusal("AdminDeleteImportedApiKey", { key_id })).toEqual(KEY_NOT_FOUND);
      expect(await api.get(key_id)).toEqual(key);
      expect(await api.verify(secret)).toMatchObject({ is_valid: true });
    },
  },
  {
    name: "does not find unknown ids, and refuses malformed ones",
    run: async ({ api }) => {
      for (const rpc of ["AdminGetImportedApiKey", "AdminDeleteImportedApiKey"] as const) {
        for (const key_id of [IMPORTED_KEY_ID, UNKNOWN_KEY_ID]) {
          expect(await api.refusal(rpc, { key_id })).toEqual(KEY_NOT_FOUND);
        }
        for (const key_id of ["nonsense", "AB".repeat(32), "ab".repeat(31), "a/b", ":revoke"]) {
          expect(await api.refusal(rpc, { key_id })).toEqual(invalid("key_id", KEY_ID_RULE));
        }
      }
    },
  },
  {
    name: "verifies with all that a caller is told of a key",
    run: async ({ api, actorId }) => {
      const rawKey = randomRawKey();
      const bare = await api.importKey({ raw_key: rawKey, actor_id: actorId });
      const good = {
        is_valid: true,
        error_code: "VERIFICATION_ERROR_UNSPECIFIED",
        error_message: "",
        key_id: bare.key_id,
        actor_id: actorId,
        scopes: [],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        issuer: "",
      };
      expect(await api.verify(rawKey)).toEqual(good);
      for (const other of [`${rawKey} `, ` ${rawKey}`, rawKey.toUpperCase(), rawKey.slice(0, -1)]) {
        expect(await api.verify(other)).toEqual(UNKNOWN);
      }
      const { key, rawKey: fullRawKey } = await importFull(api, actorId);
      const { scopes, metadata, rate_limit_policy, expire_time, key_id } = key;
      expect(await api.verify(fullRawKey)).toEqual({
        ...good,
        key_id,
        scopes,
        metadata,
        rate_limit_policy,
        expire_time,
      });
    },
  },
  {
    name: "refuses a key when its life is over",
    run: async ({ api, actorId }) => {
      const rawKey = randomRawKey();
      const key = await api.importKey({ raw_key: rawKey, actor_id: actorId, ttl: "1s" });
      const answer = await eventually("the key to expire", async () => {
        const current = await api.verify(rawKey);
        return current.is_valid === true ? undefined : current;
      });
      const identity = { key_id: key.key_id, status: "KEY_STATUS_EXPIRED" };
      expect(answer).toEqual(refusedVerification("EXPIRED", "the credential is expired", identity));
      expect(await api.getImported(key.key_id)).toEqual({ ...key, status: "KEY_STATUS_EXPIRED" });
      expect(await api.deleteImported(key.key_id)).toEqual({});
    },
  },
];

function updateRefusal(api: Api, key: Parameters<Api["updateImported"]>[0]) {
  return api.refusal("AdminUpdateImportedApiKey", { imported_api_key: key });
}

async function importFull(api: Api, actorId: string): Promise<{ key: KeyJson; rawKey: string }> {
  const rawKey = randomRawKey();
  const key = await api.importKey({ raw_key: rawKey, ...fullKey(actorId) });
  return { key, rawKey };
}
