import { expect } from "@jest/globals";
import { type Api, invalid } from "../api.js";
import type { JsonObject, Refusal } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { ALREADY_IMPORTED } from "./import-cases.js";
import { randomRawKey } from "./raw-key.js";

const MAX_REQUESTS = 1000;
const MAX_NAMED_FAILURES = 20;
const EXISTS = ALREADY_IMPORTED.message;

export const batchImportCases: readonly Case[] = [
  {
    name: "imports what is good and says what is not, in the order of the requests",
    run: async ({ api, actorId }) => {
      const known = randomRawKey();
      await api.importKey({ raw_key: known, actor_id: actorId });
      const [first, second] = [item(actorId), item(actorId)];
      const { results, ...counts } = await api.batchImport([
        first,
        { ...item(actorId), name: "" },
        item(actorId, known),
        second,
        first,
        { ...item(actorId), ttl: "-1s" },
        { ...item(actorId), visibility: "KEY_VISIBILITY_PUBLIC" },
      ]);
      expect(counts).toEqual({ success_count: 2, failure_count: 5 });
      expect(results.map(({ index, error_code }) => [index, error_code.replace("BATCH_IMPORT_ERROR_", "")])).toEqual([
        [0, "UNSPECIFIED"],
        [1, "INVALID_ARGUMENT"],
        [2, "ALREADY_EXISTS"],
        [3, "UNSPECIFIED"],
        [4, "ALREADY_EXISTS"],
        [5, "INVALID_ARGUMENT"],
        [6, "INVALID_ARGUMENT"],
      ]);
      expect(results.map(({ error_message }) => error_message)).toEqual([
        "",
        "name: is required",
        EXISTS,
        "",
        EXISTS,
        "ttl: must be 1s to 315360000s, or 0s for the default",
        "visibility: KEY_VISIBILITY_PUBLIC is for issued keys only",
      ]);
      const keys = results.flatMap(({ imported_api_key: key }) => (key === undefined ? [] : [key]));
      expect(results.map(({ imported_api_key: key }) => key !== undefined)).toEqual([
        true,
        false,
        false,
        true,
        false,
        false,
        false,
      ]);
      for (const key of keys) expect(await api.getImported(key.key_id)).toEqual(key);
      for (const [index, { raw_key }] of [first, second].entries()) {
        expect(await api.verify(String(raw_key))).toMatchObject({ is_valid: true, key_id: keys[index]?.key_id });
      }
      expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toHaveLength(3);
    },
  },
  {
    name: "keeps every field of every item",
    run: async ({ api, actorId }) => {
      const fields = {
        name: "naïve 名前 🔑",
        actor_id: actorId,
        scopes: ["a", "b"],
        metadata: { list: [1, null] },
        rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
        ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] },
      };
      const { results } = await api.batchImport([{ raw_key: randomRawKey(), ...fields, ttl: "60s" }, item(actorId)]);
      expect(results[0]?.imported_api_key).toMatchObject(fields);
      expect(results[0]?.imported_api_key?.expire_time).toBeDefined();
      expect(results[1]?.imported_api_key).toMatchObject({ name: "key", scopes: [] });
      expect(results[1]?.imported_api_key?.metadata).toBeUndefined();
    },
  },
  {
    name: "lets a later item have the raw key of an earlier one that is refused",
    run: async ({ api, actorId }) => {
      const raw_key = randomRawKey();
      const { results } = await api.batchImport([{ ...item(actorId, raw_key), name: "" }, item(actorId, raw_key)]);
      expect(results.map(({ error_code }) => error_code)).toEqual([
        "BATCH_IMPORT_ERROR_INVALID_ARGUMENT",
        "BATCH_IMPORT_ERROR_UNSPECIFIED",
      ]);
    },
  },
  {
    name: "takes a deleted key again",
    run: async ({ api, actorId }) => {
      const raw_key = randomRawKey();
      const { key_id } = await api.importKey({ raw_key, actor_id: actorId });
      await api.deleteImported(key_id);
      const { results } = await api.batchImport([item(actorId, raw_key)]);
      expect(results[0]?.imported_api_key).toMatchObject({ key_id, status: "KEY_STATUS_ACTIVE" });
    },
  },
  {
    name: "takes 1 to 1000 requests",
    run: async ({ api, actorId }) => {
      expect(await api.refusal("AdminBatchImportApiKeys", { requests: [] })).toEqual(
        invalid("requests", "is required"),
      );
      const bad = Array.from({ length: MAX_REQUESTS }, () => ({ ...item(actorId), name: "" }));
      expect(await api.refusal("AdminBatchImportApiKeys", { requests: [...bad, item(actorId)] })).toEqual(
        invalid("requests", `must be at most ${MAX_REQUESTS} requests`),
      );
      expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toEqual([]);

      const { results, ...counts } = await api.batchImport([...bad.slice(1), item(actorId)]);
      expect(counts).toEqual({ success_count: 1, failure_count: MAX_REQUESTS - 1 });
      expect(results.map(({ index }) => index)).toEqual(Array.from({ length: MAX_REQUESTS }, (_, index) => index));
      expect(results.at(-1)?.imported_api_key?.actor_id).toBe(actorId);
    },
  },
  {
    name: "fails with the one reason that all items failed for",
    run: async ({ api, actorId }) => {
      const known = [item(actorId), item(actorId)];
      await api.batchImport(known);
      expect(await batchRefusal(api, known)).toEqual({
        code: "ALREADY_EXISTS",
        reason: "API_KEY_EXISTS",
        fields: [
          { field: "requests[0]", description: EXISTS },
          { field: "requests[1]", description: EXISTS },
        ],
        metadata: { success_count: "0", failure_count: "2" },
      });
      const bad = [
        { ...item(actorId), name: "" },
        { ...item(actorId), ip_restriction: { allowed_cidrs: ["::/0", "x"] } },
      ];
      expect(await batchRefusal(api, bad)).toEqual({
        code: "INVALID_ARGUMENT",
        reason: "INVALID_ARGUMENT",
        fields: [
          { field: "requests[0]", description: "name: is required" },
          {
            field: "requests[1]",
            description: "ip_restriction.allowed_cidrs[1]: must be a network in CIDR notation, such as 10.0.0.0/8",
          },
        ],
        metadata: { success_count: "0", failure_count: "2" },
      });
    },
  },
  {
    name: "fails with INVALID_ARGUMENT when all items failed for different reasons",
    run: async ({ api, actorId }) => {
      const known = item(actorId);
      await api.batchImport([known]);
      expect(await batchRefusal(api, [known, { ...item(actorId), actor_id: "" }])).toEqual({
        code: "INVALID_ARGUMENT",
        reason: "INVALID_ARGUMENT",
        fields: [
          { field: "requests[0]", description: EXISTS },
          { field: "requests[1]", description: "actor_id: is required" },
        ],
        metadata: { success_count: "0", failure_count: "2" },
      });
    },
  },
  {
    name: "names the first 20 failures when all items failed",
    run: async ({ api, actorId }) => {
      const bad = Array.from({ length: 25 }, () => ({ ...item(actorId), name: "" }));
      const { fields, metadata } = await batchRefusal(api, bad);
      expect(fields).toEqual(
        Array.from({ length: MAX_NAMED_FAILURES }, (_, index) => ({
          field: `requests[${index}]`,
          description: "name: is required",
        })),
      );
      expect(metadata).toEqual({ success_count: "0", failure_count: "25" });
    },
  },
  {
    name: "shows no raw key, whatever became of it",
    run: async ({ api, actorId }) => {
      const requests = [item(actorId), { ...item(actorId), name: "" }];
      const some = await api.call("AdminBatchImportApiKeys", { requests });
      const none = await api.call("AdminBatchImportApiKeys", { requests });
      expect([some.ok, none.ok]).toEqual([true, false]);
      const shown = JSON.stringify([some, [...some.headers], none, [...none.headers]]);
      for (const { raw_key } of requests) expect(shown).not.toContain(raw_key);
    },
  },
];

function item(actorId: string, rawKey = randomRawKey()): JsonObject {
  return { raw_key: rawKey, name: "key", actor_id: actorId };
}

/** The refusal without its message, which is for people. */
async function batchRefusal(api: Api, requests: JsonObject[]) {
  const outcome = await api.call("AdminBatchImportApiKeys", { requests });
  if (outcome.ok) throw new Error("the batch was not refused");
  const { code, reason, fields, metadata }: Refusal = outcome;
  return { code, reason, fields, metadata };
}
