import { randomUUID } from "node:crypto";
import { expect } from "@jest/globals";
import { invalid, refused } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { randomRawKey } from "./raw-key.js";

const IMPORTED_ID = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
const MAX_RAW_KEY_BYTES = 8192;
const MS = 1000;

export const ALREADY_IMPORTED = refused(
  "ALREADY_EXISTS",
  "API_KEY_EXISTS",
  "a key with this raw key was imported before",
);
/** Said of a raw key that verification would not look for among the imported keys. */
export const OWN_FORM = "has the form of a token or of a key that this service issues";

export const importCases: readonly Case[] = [
  {
    name: "takes a key with its defaults, and answers nothing that tells it",
    run: async ({ api, actorId }) => {
      const raw_key = randomRawKey();
      const outcome = await api.call("AdminImportApiKey", { raw_key, name: "legacy", actor_id: actorId });
      expect(outcome.ok && outcome.response).toEqual({
        key_id: expect.stringMatching(IMPORTED_ID),
        name: "legacy",
        actor_id: actorId,
        scopes: [],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        create_time: expect.stringMatching(TIME),
        update_time: expect.stringMatching(TIME),
        revocation_reason: "REVOCATION_REASON_UNSPECIFIED",
        revocation_description: "",
      });
      expect(JSON.stringify([outcome, [...outcome.headers]])).not.toContain(raw_key);
    },
  },
  {
    name: "keeps every field",
    run: async ({ api, actorId }) => {
      const fields = {
        name: "naïve 名前 🔑",
        actor_id: actorId,
        scopes: ["orders:read", "é", "*"],
        metadata: { team: "blue", nested: { list: [1, 2.5, "x", true, null, {}] } },
        rate_limit_policy: { quota: "9223372036854775807", window: "1.500s", unit: "content-bytes" },
        ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "2001:db8::/32"] },
      };
      const secret = { visibility: "KEY_VISIBILITY_SECRET", raw_key: randomRawKey() };
      const key = await api.importKey({ ...fields, ...secret, ttl: "3600s" });
      expect(key).toMatchObject(fields);
      expect(Date.parse(key.expire_time ?? "") - Date.parse(key.create_time)).toBe(3600 * MS);
      expect(await api.getImported(key.key_id)).toEqual(key);
    },
  },
  {
    name: "takes any text for a raw key, byte for byte",
    run: async ({ api, actorId }) => {
      const unique = randomUUID();
      const texts = [
        ` ${unique} `,
        unique,
        `${unique}\n`,
        `é ${unique} 🔑`,
        `${unique}.x.`,
        `../../${unique}`,
        `x_v1_${unique}`,
      ];
      const keys = await Promise.all(texts.map((raw_key) => api.importKey({ raw_key, actor_id: actorId })));
      expect(new Set(keys.map(({ key_id }) => key_id)).size).toBe(texts.length);
      for (const [index, text] of texts.entries()) {
        expect(await api.verify(text)).toMatchObject({ is_valid: true, key_id: keys[index]?.key_id });
      }
    },
  },
  {
    name: "takes a raw key of 8192 bytes and no more",
    run: async ({ api, actorId }) => {
      const unique = randomUUID();
      const longest = unique + "é".repeat((MAX_RAW_KEY_BYTES - unique.length) / 2);
      const { key_id } = await api.importKey({ raw_key: longest, actor_id: actorId });
      expect(await api.verify(longest)).toMatchObject({ is_valid: true, key_id });
      const request = { raw_key: `${longest}x`, name: "key", actor_id: actorId };
      expect(await api.refusal("AdminImportApiKey", request)).toEqual(
        invalid("raw_key", `must be at most ${MAX_RAW_KEY_BYTES} bytes`),
      );
    },
  },
  {
    name: "takes a raw key once",
    run: async ({ api, actorId }) => {
      const request = { raw_key: randomRawKey(), name: "key", actor_id: actorId };
      const key = await api.importKey(request);
      expect(await api.refusal("AdminImportApiKey", request)).toEqual(ALREADY_IMPORTED);
      expect(await api.refusal("AdminImportApiKey", { ...request, name: "other" })).toEqual(ALREADY_IMPORTED);
      expect(await api.getImported(key.key_id)).toEqual(key);
    },
  },
  {
    name: "lets one of several imports at a time win",
    run: async ({ api, actorId }) => {
      const request = { raw_key: randomRawKey(), name: "key", actor_id: actorId };
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => api.call("AdminImportApiKey", request)));
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      const reasons = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason]));
      expect(reasons).toEqual(["API_KEY_EXISTS", "API_KEY_EXISTS", "API_KEY_EXISTS"]);
      expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toHaveLength(1);
    },
  },
  {
    name: "does not let a revoked key be imported once more",
    run: async ({ api, actorId }) => {
      const request = { raw_key: randomRawKey(), name: "key", actor_id: actorId };
      const { key_id } = await api.importKey(request);
      await api.revoke(key_id);
      expect(await api.refusal("AdminImportApiKey", request)).toEqual(ALREADY_IMPORTED);
      expect((await api.getImported(key_id)).status).toBe("KEY_STATUS_REVOKED");
    },
  },
  {
    name: "takes a deleted key again, as a new one with the same id",
    run: async ({ api, actorId }) => {
      const raw_key = randomRawKey();
      const { key_id } = await api.importKey({ raw_key, actor_id: actorId, scopes: ["old"], metadata: { old: true } });
      expect(await api.deleteImported(key_id)).toEqual({});
      const again = await api.importKey({ raw_key, name: "new", actor_id: actorId, scopes: ["new"] });
      expect(again).toMatchObject({ key_id, name: "new", scopes: ["new"], status: "KEY_STATUS_ACTIVE" });
      expect(again.metadata).toBeUndefined();
      expect(await api.verify(raw_key)).toMatchObject({ is_valid: true, key_id, scopes: ["new"] });
    },
  },
  {
    name: "takes a mistyped key of its own, which then verifies",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const mistyped = `${secret}1`;
      expect(await api.verify(mistyped)).toMatchObject({ error_code: "VERIFICATION_ERROR_INVALID_FORMAT" });
      const { key_id } = await api.importKey({ raw_key: mistyped, actor_id: actorId });
      expect(key_id).toMatch(IMPORTED_ID);
      expect(await api.verify(mistyped)).toMatchObject({ is_valid: true, key_id });
      await api.deleteImported(key_id);
      expect(await api.verify(mistyped)).toMatchObject({ error_code: "VERIFICATION_ERROR_INVALID_FORMAT" });
    },
  },
  {
    name: "refuses what verification would not take for an imported key",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const { token: jwt } = await api.derive(secret);
      const { token: macaroon } = await api.derive(secret, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
      const header = Buffer.from('{"alg":"none"}').toString("base64url");
      for (const raw_key of [secret, jwt, macaroon, "mc_v1_", "mc_v1_x", `${header}.e30.`, `${header}.x.y`]) {
        expect(await api.refusal("AdminImportApiKey", { raw_key, name: "key", actor_id: actorId })).toEqual(
          invalid("raw_key", OWN_FORM),
        );
      }
      expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toEqual([]);
    },
  },
  ...badFields([
    ["no raw key", { raw_key: "" }, "raw_key", "is required"],
    ["no name", { name: "" }, "name", "is required"],
    ["no actor", { actor_id: "" }, "actor_id", "is required"],
    [
      "a public key",
      { visibility: "KEY_VISIBILITY_PUBLIC" },
      "visibility",
      "KEY_VISIBILITY_PUBLIC is for issued keys only",
    ],
    ["an empty scope", { scopes: ["a", ""] }, "scopes[1]", "must be 1 to 255 printable characters without spaces"],
    ["a ttl below 1 s", { ttl: "0.999s" }, "ttl", "must be 1s to 315360000s, or 0s for the default"],
    ["a ttl finer than a millisecond", { ttl: "1.000000001s" }, "ttl", "must be whole milliseconds"],
    [
      "a quota of 0",
      { rate_limit_policy: { quota: "0", window: "1s" } },
      "rate_limit_policy.quota",
      "must be greater than 0",
    ],
    [
      "a malformed network",
      { ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "10.0.0.0/33"] } },
      "ip_restriction.allowed_cidrs[1]",
      "must be a network in CIDR notation, such as 10.0.0.0/8",
    ],
    [
      "metadata of 4097 bytes",
      { metadata: { a: "x".repeat(4096 - '{"a":""}'.length + 1) } },
      "metadata",
      "must be at most 4096 bytes as compact UTF-8 JSON",
    ],
    ["a request_id of 37 characters", { request_id: "r".repeat(37) }, "request_id", "must be at most 36 characters"],
  ]),
  {
    name: "names every field at fault at once",
    run: async ({ api }) => {
      const request = { ttl: "-1s", visibility: "KEY_VISIBILITY_PUBLIC" };
      const { code, message, fields } = await api.refusal("AdminImportApiKey", request);
      expect(code).toBe("INVALID_ARGUMENT");
      expect(fields.map(({ field }) => field)).toEqual(["raw_key", "actor_id", "name", "visibility", "ttl"]);
      expect(message).toBe(fields.map(({ field, description }) => `${field}: ${description}`).join("; "));
    },
  },
  {
    name: "gives the configured default lifetime, and no more than the configured maximum",
    server: "tuned",
    run: async ({ api, actorId }) => {
      const key = await api.importKey({ raw_key: randomRawKey(), actor_id: actorId });
      expect(Date.parse(key.expire_time ?? "") - Date.parse(key.create_time)).toBe(3600 * MS);
      const request = { raw_key: randomRawKey(), name: "key", actor_id: actorId, ttl: "7200.001s" };
      expect(await api.refusal("AdminImportApiKey", request)).toEqual(
        invalid("ttl", "must be 1s to 7200s, or 0s for the default"),
      );
    },
  },
  {
    name: "makes no public key where there is a public prefix either",
    server: "tuned",
    run: async ({ api, actorId }) => {
      const visibility = "KEY_VISIBILITY_PUBLIC";
      const { fields } = await api.refusal("AdminImportApiKey", {
        raw_key: randomRawKey(),
        name: "key",
        actor_id: actorId,
        visibility,
      });
      expect(fields.map(({ field }) => field)).toEqual(["visibility"]);
    },
  },
];

type BadField = readonly [what: string, fields: JsonObject, field: string, description: string];

/** A request that is wrong in one field is refused with its name, and imports nothing. */
function badFields(rows: readonly BadField[]): Case[] {
  return rows.map(([what, fields, field, description]) => ({
    name: `refuses ${what}`,
    run: async ({ api, actorId }) => {
      const request = { raw_key: randomRawKey(), name: "key", actor_id: actorId, ...fields };
      expect(await api.refusal("AdminImportApiKey", request)).toEqual(invalid(field, description));
      expect((await api.listImported({ filter: `actor_id="${actorId}"` })).imported_api_keys).toEqual([]);
    },
  }));
}
