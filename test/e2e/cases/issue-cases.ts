import { expect } from "@jest/globals";
import { invalid } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SECRET = /^lk_v1_[1-9A-HJ-NP-Za-km-z]{60,72}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;
const MAX_INT64 = "9223372036854775807";
const MS = 1000;

export const issueCases: readonly Case[] = [
  {
    name: "gives a key with its defaults, and its secret once",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ name: "deploy", actor_id: actorId });
      expect(secret).toMatch(SECRET);
      expect(key).toEqual({
        key_id: expect.stringMatching(UUID_V7),
        name: "deploy",
        actor_id: actorId,
        scopes: [],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        create_time: expect.stringMatching(TIME),
        update_time: key.create_time,
        revocation_reason: "REVOCATION_REASON_UNSPECIFIED",
        revocation_description: "",
      });
      expect(await api.get(key.key_id)).toEqual(key);
    },
  },
  {
    name: "keeps every field",
    run: async ({ api, actorId }) => {
      const fields = {
        name: "naïve 名前 🔑",
        actor_id: actorId,
        scopes: ["orders:read", "é", "*"],
        metadata: { team: "blue", nested: { list: [1, 2.5, "x", true, null, {}], none: null }, "": "", big: 1e300 },
        rate_limit_policy: { quota: MAX_INT64, window: "1.500s", unit: "content-bytes" },
        ip_restriction: { allowed_cidrs: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"] },
      };
      const { issued_api_key: key } = await api.issue({ ...fields, visibility: "KEY_VISIBILITY_SECRET", ttl: "3600s" });
      expect(key).toMatchObject(fields);
      expect(key.metadata).toEqual(fields.metadata);
      expect(Date.parse(key.expire_time ?? "") - Date.parse(key.create_time)).toBe(3600 * MS);
      expect(await api.get(key.key_id)).toEqual(key);
    },
  },
  {
    name: "counts requests when a policy has no unit, and takes an empty restriction for none",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({
        actor_id: actorId,
        rate_limit_policy: { quota: "1", window: "0.001s" },
        ip_restriction: { allowed_cidrs: [] },
      });
      expect(key.rate_limit_policy).toEqual({ quota: "1", window: "0.001s", unit: "requests" });
      expect(key.ip_restriction).toBeUndefined();
    },
  },
  {
    name: "takes the largest of everything",
    run: async ({ api, actorId }) => {
      const fields = {
        name: "🔑".repeat(255),
        scopes: Array.from({ length: 128 }, (_, index) => `${index}-`.padEnd(255, "é")),
        metadata: { a: "x".repeat(4096 - '{"a":""}'.length) },
        ip_restriction: { allowed_cidrs: Array.from({ length: 128 }, (_, index) => `10.0.${index}.0/24`) },
      };
      const { issued_api_key: key } = await api.issue({ ...fields, actor_id: actorId, ttl: "315360000s" });
      expect(key).toMatchObject(fields);
    },
  },
  {
    name: "starts a lifetime at 1 s, and takes 0 s for the default",
    run: async ({ api, actorId }) => {
      const { issued_api_key: never } = await api.issue({ actor_id: actorId, ttl: "0s" });
      expect(never.expire_time).toBeUndefined();
      const { issued_api_key: short } = await api.issue({ actor_id: actorId, ttl: "1s" });
      expect(Date.parse(short.expire_time ?? "") - Date.parse(short.create_time)).toBe(MS);
    },
  },
  ...badFields([
    ["no name", { name: "" }, "name", "is required"],
    ["a name of 256 characters", { name: "é".repeat(256) }, "name", "must be at most 255 characters"],
    ["no actor", { actor_id: "" }, "actor_id", "is required"],
    ["an actor of 256 characters", { actor_id: "a".repeat(256) }, "actor_id", "must be at most 255 characters"],
    ["129 scopes", { scopes: Array.from({ length: 129 }, String) }, "scopes", "must be at most 128 scopes"],
    ["a scope with a space", { scopes: ["ok", "a b"] }, "scopes[1]", scopeRule()],
    ["an empty scope", { scopes: [""] }, "scopes[0]", scopeRule()],
    ["a scope with a control character", { scopes: ["a\u0000"] }, "scopes[0]", scopeRule()],
    ["a scope of 256 characters", { scopes: ["ok", "ok", "s".repeat(256)] }, "scopes[2]", scopeRule()],
    [
      "metadata of 4097 bytes",
      { metadata: { a: "é".repeat(2044), b: "" } },
      "metadata",
      "must be at most 4096 bytes as compact UTF-8 JSON",
    ],
    ["a ttl below 1 s", { ttl: "0.999s" }, "ttl", "must be 1s to 315360000s, or 0s for the default"],
    ["a negative ttl", { ttl: "-3600s" }, "ttl", "must be 1s to 315360000s, or 0s for the default"],
    ["a ttl past ten years", { ttl: "315360001s" }, "ttl", "must be 1s to 315360000s, or 0s for the default"],
    ["a ttl finer than a millisecond", { ttl: "1.000000001s" }, "ttl", "must be whole milliseconds"],
    [
      "a quota of 0",
      { rate_limit_policy: { quota: "0", window: "1s" } },
      "rate_limit_policy.quota",
      "must be greater than 0",
    ],
    [
      "a negative quota",
      { rate_limit_policy: { quota: "-1", window: "1s" } },
      "rate_limit_policy.quota",
      "must be greater than 0",
    ],
    ["a policy without window", { rate_limit_policy: { quota: "1" } }, "rate_limit_policy.window", "is required"],
    [
      "a window of 0",
      { rate_limit_policy: { quota: "1", window: "0s" } },
      "rate_limit_policy.window",
      "must be longer than 0s",
    ],
    [
      "an unknown unit",
      { rate_limit_policy: { quota: "1", window: "1s", unit: "wishes" } },
      "rate_limit_policy.unit",
      "must be one of requests, content-bytes, concurrent-requests",
    ],
    ...["10.0.0.0/33", "10.0.0.1", "10.0.0/8", "2001:db8::/129", "fe80::1%eth0/64", "", "10.0.0.0/08"].map(
      (cidr): BadField => [
        `the network "${cidr}"`,
        { ip_restriction: { allowed_cidrs: ["10.0.0.0/8", cidr] } },
        "ip_restriction.allowed_cidrs[1]",
        "must be a network in CIDR notation, such as 10.0.0.0/8",
      ],
    ),
    [
      "129 networks",
      { ip_restriction: { allowed_cidrs: Array.from({ length: 129 }, () => "10.0.0.0/8") } },
      "ip_restriction.allowed_cidrs",
      "must be at most 128 networks",
    ],
    [
      "a public key where there is no public prefix",
      { visibility: "KEY_VISIBILITY_PUBLIC" },
      "visibility",
      "KEY_VISIBILITY_PUBLIC needs keys.public_prefix in the server's configuration",
    ],
    ["a request_id of 37 characters", { request_id: "r".repeat(37) }, "request_id", "must be at most 36 characters"],
  ]),
  {
    name: "names every field at fault at once",
    run: async ({ api }) => {
      expect(await api.refusal("AdminIssueApiKey", { scopes: [" "], ttl: "-1s" })).toEqual({
        code: "INVALID_ARGUMENT",
        reason: "INVALID_ARGUMENT",
        message: [
          "actor_id: is required",
          "name: is required",
          `scopes[0]: ${scopeRule()}`,
          "ttl: must be 1s to 315360000s, or 0s for the default",
        ].join("; "),
        fields: [
          { field: "actor_id", description: "is required" },
          { field: "name", description: "is required" },
          { field: "scopes[0]", description: scopeRule() },
          { field: "ttl", description: "must be 1s to 315360000s, or 0s for the default" },
        ],
      });
    },
  },
  {
    name: "gives the configured default lifetime, and no more than the configured maximum",
    server: "tuned",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({ actor_id: actorId });
      expect(Date.parse(key.expire_time ?? "") - Date.parse(key.create_time)).toBe(3600 * MS);
      const { issued_api_key: longest } = await api.issue({ actor_id: actorId, ttl: "7200s" });
      expect(Date.parse(longest.expire_time ?? "") - Date.parse(longest.create_time)).toBe(7200 * MS);
      expect(await api.refusal("AdminIssueApiKey", { name: "key", actor_id: actorId, ttl: "7200.001s" })).toEqual(
        invalid("ttl", "must be 1s to 7200s, or 0s for the default"),
      );
    },
  },
  {
    name: "gives a public key the public prefix",
    server: "tuned",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({
        actor_id: actorId,
        visibility: "KEY_VISIBILITY_PUBLIC",
      });
      expect(secret).toMatch(/^pub_v1_/);
      expect(key.visibility).toBe("KEY_VISIBILITY_PUBLIC");
      expect(await api.verify(secret)).toMatchObject({ is_valid: true, visibility: "KEY_VISIBILITY_PUBLIC" });
    },
  },
];

type BadField = readonly [what: string, fields: JsonObject, field: string, description: string];

/** A request that is wrong in one field is refused with its name, and issues nothing. */
function badFields(rows: readonly BadField[]): Case[] {
  return rows.map(([what, fields, field, description]) => ({
    name: `refuses ${what}`,
    run: async ({ api, actorId }) => {
      const request = { name: "key", actor_id: actorId, ...fields };
      expect(await api.refusal("AdminIssueApiKey", request)).toEqual(invalid(field, description));
      expect((await api.list({ filter: `actor_id="${actorId}"` })).issued_api_keys).toEqual([]);
    },
  }));
}

function scopeRule(): string {
  return "must be 1 to 255 printable characters without spaces";
}
