/** Requests with a request_id may be repeated (AIP-155): they make one key, and its secret comes again. */
import { randomUUID } from "node:crypto";
import { expect } from "@jest/globals";
import { type Api, invalid, type KeyJson } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { ALREADY_IMPORTED } from "./import-cases.js";
import { randomRawKey } from "./raw-key.js";
import { notActive } from "./rotate-cases.js";

const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DUPLICATES = 8;
const OTHER_REQUEST = invalid("request_id", "was used before, for another request");
const TOO_LONG = invalid("request_id", "must be at most 36 characters");

export const idempotencyCases: readonly Case[] = [
  {
    name: "issue: the same request gives the same key and the same secret",
    run: async ({ api, actorId }) => {
      const request = fullRequest(actorId);
      const first = await api.issue(request);
      expect(first.issued_api_key.key_id).toMatch(UUID_V8);
      expect(first.secret_expired).toBe(false);
      expect(await api.issue(request)).toEqual(first);
      expect(await issued(api, actorId)).toEqual([first.issued_api_key]);
      expect(await api.verify(first.secret)).toMatchObject({ is_valid: true, key_id: first.issued_api_key.key_id });
    },
  },
  {
    name: "issue: another request with the same id is refused, whatever differs",
    run: async ({ api, actorId }) => {
      const request = fullRequest(actorId);
      await api.issue(request);
      const { metadata: _, ...without } = request;
      for (const other of [
        { ...request, name: "other" },
        { ...request, actor_id: randomUUID() },
        { ...request, scopes: ["b", "a"] },
        { ...request, metadata: { a: [1, 2] } },
        { ...request, ttl: "3601s" },
        { ...request, rate_limit_policy: { quota: "11", window: "60s" } },
        { ...request, ip_restriction: { allowed_cidrs: ["10.0.0.0/9"] } },
        without,
      ]) {
        expect(await api.refusal("AdminIssueApiKey", { name: "key", ...other })).toEqual(OTHER_REQUEST);
      }
      expect(await issued(api, actorId)).toHaveLength(1);
    },
  },
  {
    name: "issue: a repetition answers the key as it is now",
    run: async ({ api, actorId }) => {
      const request = { actor_id: actorId, request_id: randomUUID() };
      const { issued_api_key: key, secret } = await api.issue(request);
      await api.update({ key_id: key.key_id, name: "changed" }, "name");
      const changed = await api.issue(request);
      expect([changed.secret, changed.issued_api_key]).toEqual([secret, await api.get(key.key_id)]);
      await api.revoke(key.key_id);
      const revoked = await api.issue(request);
      expect([revoked.secret, revoked.issued_api_key.status]).toEqual([secret, "KEY_STATUS_REVOKED"]);
      expect(await issued(api, actorId)).toHaveLength(1);
    },
  },
  {
    name: "issue: duplicates at the same time make one key",
    run: async ({ api, actorId }) => {
      const request = fullRequest(actorId);
      const answers = await Promise.all(Array.from({ length: DUPLICATES }, () => api.issue(request)));
      expect(answers).toEqual(answers.map(() => answers[0]));
      expect(await issued(api, actorId)).toEqual([answers[0]?.issued_api_key]);
    },
  },
  {
    name: "issue: another id makes another key, and without an id each request does",
    run: async ({ api, actorId }) => {
      for (const request_id of [randomUUID(), randomUUID(), "", ""]) {
        await api.issue({ actor_id: actorId, request_id });
      }
      expect(await issued(api, actorId)).toHaveLength(4);
    },
  },
  {
    name: "issue: two callers may choose the same id",
    run: async ({ api, actorId }) => {
      const request = { actor_id: actorId, request_id: randomUUID() };
      const first = await api.issue(request);
      const second = await api.issue(request, { token: api.tokens.otherAdmin });
      expect(second.issued_api_key.key_id).not.toBe(first.issued_api_key.key_id);
      expect(second.secret).not.toBe(first.secret);
      expect(await api.issue(request)).toEqual(first);
      expect(await api.issue(request, { token: api.tokens.otherAdmin })).toEqual(second);
    },
  },
  {
    name: "takes an id of 36 characters, whatever they are, and no more",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      const unique = randomUUID().slice(0, 8);
      for (const request_id of [unique, ` ${unique} `, unique + "🔑".repeat(28), `${unique}\n"'\\/é`]) {
        const first = await api.issue({ actor_id: actorId, request_id });
        expect(await api.issue({ actor_id: actorId, request_id })).toEqual(first);
      }
      const named = { name: "key", actor_id: actorId, request_id: "é".repeat(37) };
      expect(await api.refusal("AdminIssueApiKey", named)).toEqual(TOO_LONG);
      expect(await api.refusal("AdminImportApiKey", { ...named, raw_key: randomRawKey() })).toEqual(TOO_LONG);
      expect(await api.refusal("AdminRotateIssuedApiKey", { key_id, request_id: "x".repeat(37) })).toEqual(TOO_LONG);
    },
  },
  {
    name: "import: the same request gives the same key, another one is refused",
    run: async ({ api, actorId }) => {
      const request = { ...fullRequest(actorId), raw_key: randomRawKey() };
      const key = await api.importKey(request);
      expect(await api.importKey(request)).toEqual(key);
      for (const other of [
        { ...request, name: "other" },
        { ...request, ttl: "3601s" },
      ]) {
        expect(await api.refusal("AdminImportApiKey", { name: "key", ...other })).toEqual(OTHER_REQUEST);
      }
      const again = { name: "key", ...request, request_id: randomUUID() };
      expect(await api.refusal("AdminImportApiKey", again)).toEqual(ALREADY_IMPORTED);
      const { request_id: _, ...without } = again;
      expect(await api.refusal("AdminImportApiKey", without)).toEqual(ALREADY_IMPORTED);
      expect(await imported(api, actorId)).toEqual([key]);
    },
  },
  {
    name: "import: duplicates at the same time make one key, and none of them is refused",
    run: async ({ api, actorId }) => {
      const request = { ...fullRequest(actorId), raw_key: randomRawKey() };
      const keys = await Promise.all(Array.from({ length: DUPLICATES }, () => api.importKey(request)));
      expect(keys).toEqual(keys.map(() => keys[0]));
      expect(await imported(api, actorId)).toEqual([keys[0]]);
    },
  },
  {
    name: "import: a batch that is repeated succeeds again",
    run: async ({ api, actorId }) => {
      const requests = Array.from({ length: 3 }, () => ({
        name: "key",
        ...fullRequest(actorId),
        raw_key: randomRawKey(),
      }));
      const first = await api.batchImport(requests);
      expect(first).toMatchObject({ success_count: 3, failure_count: 0 });
      expect(await api.batchImport(requests)).toEqual(first);
    },
  },
  {
    name: "import: a deleted key is imported anew by the same request",
    run: async ({ api, actorId }) => {
      const request = { ...fullRequest(actorId), raw_key: randomRawKey() };
      const { key_id } = await api.importKey(request);
      await api.deleteImported(key_id);
      expect(await api.importKey(request)).toMatchObject({ key_id, status: "KEY_STATUS_ACTIVE" });
    },
  },
  {
    name: "rotate: the same request gives the same new key, secret and old key",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      for (const grace_period of ["0s", "3600s"]) {
        const fresh = grace_period === "0s" ? key_id : (await api.issue({ actor_id: actorId })).issued_api_key.key_id;
        const request = { request_id: randomUUID(), grace_period, metadata: { new: true } };
        const first = await api.rotate(fresh, request);
        expect(first.secret_expired).toBe(false);
        expect(first.issued_api_key.key_id).toMatch(UUID_V8);
        expect(await api.rotate(fresh, request)).toEqual(first);
        expect(await api.verify(first.secret)).toMatchObject({ is_valid: true });
      }
      expect(await issued(api, actorId)).toHaveLength(4);
    },
  },
  {
    name: "rotate: another request with the same id is refused, and one with another id finds the key rotated",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      const request = { request_id: randomUUID(), name: "new" };
      await api.rotate(key_id, request);
      for (const other of [
        { ...request, name: "newer" },
        { ...request, grace_period: "1s" },
        { request_id: request.request_id },
      ]) {
        expect(await api.refusal("AdminRotateIssuedApiKey", { key_id, ...other })).toEqual(OTHER_REQUEST);
      }
      for (const other of [{ ...request, request_id: randomUUID() }, { name: "new" }]) {
        expect(await api.refusal("AdminRotateIssuedApiKey", { key_id, ...other })).toEqual(notActive("revoked"));
      }
      const stranger = await api.refusal(
        "AdminRotateIssuedApiKey",
        { key_id, ...request },
        { token: api.tokens.otherAdmin },
      );
      expect(stranger).toEqual(notActive("revoked"));
      expect(await issued(api, actorId)).toHaveLength(2);
    },
  },
  {
    name: "rotate: duplicates at the same time rotate once",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      const request = { request_id: randomUUID(), scopes: ["a"] };
      const answers = await Promise.all(Array.from({ length: DUPLICATES }, () => api.rotate(key_id, request)));
      expect(answers).toEqual(answers.map(() => answers[0]));
      const keys = await issued(api, actorId);
      expect(keys.map(({ status }) => status).sort()).toEqual(["KEY_STATUS_ACTIVE", "KEY_STATUS_REVOKED"]);
    },
  },
  {
    name: "rotate: a repetition answers the same key after that was rotated or revoked in its turn",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      const request = { request_id: randomUUID() };
      const first = await api.rotate(key_id, request);
      const next = await api.rotate(first.issued_api_key.key_id, { request_id: request.request_id });
      expect(next.issued_api_key.key_id).not.toBe(first.issued_api_key.key_id);
      const afterRotation = await api.rotate(key_id, request);
      expect(afterRotation).toEqual({ ...first, issued_api_key: await api.get(first.issued_api_key.key_id) });
      expect(afterRotation.issued_api_key.status).toBe("KEY_STATUS_REVOKED");

      await api.revoke(next.issued_api_key.key_id);
      const afterRevocation = await api.rotate(first.issued_api_key.key_id, { request_id: request.request_id });
      expect([afterRevocation.issued_api_key.key_id, afterRevocation.secret]).toEqual([
        next.issued_api_key.key_id,
        next.secret,
      ]);
      expect(await issued(api, actorId)).toHaveLength(3);
    },
  },
  {
    name: "keeps issue, import and rotate apart",
    run: async ({ api, actorId }) => {
      const request_id = randomUUID();
      const { key_id } = (await api.issue({ actor_id: actorId, request_id })).issued_api_key;
      const rotated = await api.rotate(key_id, { request_id });
      expect(rotated.issued_api_key.key_id).not.toBe(key_id);
      await api.importKey({ actor_id: actorId, raw_key: randomRawKey(), request_id });
      expect(await issued(api, actorId)).toHaveLength(2);
    },
  },
];

function fullRequest(actorId: string): JsonObject {
  return {
    actor_id: actorId,
    scopes: ["a", "b"],
    metadata: { a: [1, { b: null }] },
    rate_limit_policy: { quota: "9223372036854775807", window: "60s" },
    ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] },
    ttl: "3600s",
    request_id: randomUUID(),
  };
}

async function issued(api: Api, actorId: string): Promise<readonly KeyJson[]> {
  return (await api.list({ filter: `actor_id="${actorId}"` })).issued_api_keys;
}

async function imported(api: Api, actorId: string): Promise<readonly KeyJson[]> {
  return (await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys;
}
