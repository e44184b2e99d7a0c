import { expect } from "@jest/globals";
import { type Api, invalid } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import type { Case } from "./case.js";
import { hostileFilterCases } from "./hostile-filter-cases.js";
import { walkPages } from "./walk-pages.js";
import { FILTERABLE, wrongFilters } from "./wrong-filters.js";

const WRONG_TOKEN = invalid(
  "page_token",
  "is not a next_page_token of this list with this filter",
  "INVALID_PAGE_TOKEN",
);
const STATUSES = "KEY_STATUS_ACTIVE, KEY_STATUS_REVOKED, KEY_STATUS_EXPIRED";

export const listCases: readonly Case[] = [
  {
    name: "shows the newest first, page by page, each key once",
    run: async ({ api, actorId }) => {
      const ids = await issueSeveral(api, actorId, 5);
      const filter = `actor_id="${actorId}"`;
      const pages = await walkIssued(api, { filter, page_size: 2 });
      const listed = pages.flat();
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
      expect(listed.map(({ key_id }) => key_id).sort()).toEqual([...ids].sort());
      const times = listed.map(({ create_time }) => Date.parse(create_time));
      expect(times).toEqual([...times].sort((a, b) => b - a));
    },
  },
  {
    name: "shows what get shows, and no more",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key } = await api.issue({
        actor_id: actorId,
        scopes: ["a"],
        metadata: { b: 1 },
        ttl: "60s",
      });
      expect(await api.list({ filter: `actor_id="${actorId}"` })).toEqual({
        issued_api_keys: [key],
        next_page_token: "",
      });
    },
  },
  {
    name: "is empty for an actor without keys",
    run: async ({ api, actorId }) => {
      expect(await api.list({ filter: `actor_id = "${actorId}"` })).toEqual({
        issued_api_keys: [],
        next_page_token: "",
      });
    },
  },
  {
    name: "lists without a filter: 50 keys when no size is asked for, more when it is",
    run: async ({ api, actorId }) => {
      const all = await api.list({ page_size: 60 });
      await issueSeveral(api, actorId, Math.max(0, 51 - all.issued_api_keys.length));
      const { issued_api_key: newest } = await api.issue({ actor_id: actorId });
      const page = await api.list({});
      expect(page.issued_api_keys).toHaveLength(50);
      expect(page.issued_api_keys).toContainEqual(newest);
      expect(page.next_page_token).not.toBe("");
      expect((await api.list({ page_size: 51 })).issued_api_keys).toHaveLength(51);
    },
  },
  {
    name: "takes a page size above 1000 for 1000, and another size on the next page",
    run: async ({ api, actorId }) => {
      await issueSeveral(api, actorId, 3);
      const filter = `actor_id="${actorId}"`;
      expect((await api.list({ filter, page_size: 2147483647 })).issued_api_keys).toHaveLength(3);
      const first = await api.list({ filter, page_size: 1 });
      const rest = await api.list({ filter, page_size: 1001, page_token: first.next_page_token });
      expect(rest.issued_api_keys).toHaveLength(2);
    },
  },
  {
    name: "refuses a negative page size",
    run: async ({ api }) => {
      expect(await api.refusal("AdminListIssuedApiKeys", { page_size: -1 })).toEqual(
        invalid("page_size", "must not be negative"),
      );
    },
  },
  {
    name: "finds keys by status, and by actor and status",
    run: async ({ api, actorId }) => {
      const [first = "", second = ""] = await issueSeveral(api, actorId, 2);
      await api.revoke(first);
      const ids = async (filter: string) => (await api.list({ filter })).issued_api_keys.map(({ key_id }) => key_id);
      expect(await ids(`actor_id="${actorId}" AND status=KEY_STATUS_ACTIVE`)).toEqual([second]);
      expect(await ids(`status = "KEY_STATUS_REVOKED" AND actor_id = "${actorId}"`)).toEqual([first]);
      expect(await ids(`actor_id="${actorId}" AND status=KEY_STATUS_EXPIRED`)).toEqual([]);
      const active = await api.list({ filter: "status=KEY_STATUS_ACTIVE", page_size: 1000 });
      expect(active.issued_api_keys.map(({ key_id }) => key_id)).toContain(second);
      expect(new Set(active.issued_api_keys.map(({ status }) => status))).toEqual(new Set(["KEY_STATUS_ACTIVE"]));
    },
  },
  {
    name: "finds an actor whose name needs quoting",
    run: async ({ api, actorId }) => {
      const odd = `${actorId} "it's" \\ é 名`;
      const { issued_api_key: key } = await api.issue({ actor_id: odd });
      const filter = `actor_id="${odd.replace(/["\\]/g, "\\$&")}"`;
      expect((await api.list({ filter })).issued_api_keys).toEqual([key]);
    },
  },
  {
    name: "refuses a page token that it did not give, or that was changed, or that is another list's",
    run: async ({ api, actorId }) => {
      await issueSeveral(api, actorId, 2);
      const filter = `actor_id="${actorId}"`;
      const { next_page_token: token } = await api.list({ filter, page_size: 1 });
      const flipped = token.slice(0, -5) + (token.at(-5) === "A" ? "B" : "A") + token.slice(-4);
      const wrong = [
        { filter, page_token: "nonsense" },
        { filter, page_token: "AQ" },
        { filter, page_token: flipped },
        { filter, page_token: `${token}=` },
        { filter, page_token: token.slice(1) },
        { filter: `${filter} AND status=KEY_STATUS_ACTIVE`, page_token: token },
        { filter: `${filter} `, page_token: token },
        { page_token: token },
      ];
      for (const request of wrong) expect(await api.refusal("AdminListIssuedApiKeys", request)).toEqual(WRONG_TOKEN);
      expect((await api.list({ filter, page_token: token })).issued_api_keys).toHaveLength(1);
    },
  },
  {
    name: "finds keys by what AIP-160 can say of them",
    run: async ({ api, actorId }) => {
      const issue = async (request: JsonObject) => (await api.issue({ actor_id: actorId, ...request })).issued_api_key;
      const billing = await issue({
        name: "billing",
        scopes: ["read", "write"],
        metadata: { team: { name: "a" }, n: 3 },
      });
      const search = await issue({ name: "search", scopes: ["read"], metadata: { team: { name: "b" } }, ttl: "3600s" });
      const names: Readonly<Record<string, string>> = { [billing.key_id]: "billing", [search.key_id]: "search" };
      const find = async (filter: string) =>
        (await api.list({ filter: `actor_id="${actorId}" AND ${filter}` })).issued_api_keys.map(
          ({ key_id }) => names[key_id],
        );
      expect(await find("name=billing")).toEqual(["billing"]);
      expect(await find('name="s*"')).toEqual(["search"]);
      expect(await find("(name=billing OR name=search)")).toEqual(["search", "billing"]);
      expect(await find("NOT name=billing")).toEqual(["search"]);
      expect(await find("-name=billing")).toEqual(["search"]);
      expect(await find("scopes:write")).toEqual(["billing"]);
      expect(await find("metadata.team.name=a")).toEqual(["billing"]);
      expect(await find("metadata.n:* AND metadata.n>2")).toEqual(["billing"]);
      expect(await find("expire_time:*")).toEqual(["search"]);
      expect(await find(`key_id="${search.key_id}"`)).toEqual(["search"]);
      expect(await find(`create_time>="${billing.create_time}" AND create_time<="${billing.create_time}"`)).toContain(
        "billing",
      );
      expect(await find(`create_time<"${billing.create_time}"`)).toEqual([]);
    },
  },
  {
    name: "finds every match once, page after page, when a filter fits few",
    run: async ({ api, actorId }) => {
      const ids = await issueSeveral(api, actorId, 7);
      const wanted = ids.filter((_, index) => index % 3 === 0);
      const filter = `actor_id="${actorId}" AND (${wanted.map((id) => `key_id="${id}"`).join(" OR ")})`;
      const pages = await walkIssued(api, { filter, page_size: 1 });
      expect(pages.flat().map(({ key_id }) => key_id)).toEqual(wanted.reverse());
    },
  },
  ...wrongFilters([
    ["nme=x", 1, `"nme" cannot be filtered on; ${FILTERABLE}`],
    ["constructor=x", 1, `"constructor" cannot be filtered on; ${FILTERABLE}`],
    ["status=ACTIVE", 8, `"ACTIVE" is no value of status, an enum: expected one of ${STATUSES}`],
    ["actor_id", 1, '"actor_id" is compared with nothing; write actor_id = value'],
    ["actor_id=", 10, "expected a value"],
    ["actor_id=a AND ", 16, "expected a field name"],
    ["(actor_id=a", 12, 'expected ")"'],
    ['actor_id="a', 10, 'the string that begins here has no closing "'],
    ["scopes=read", 7, '"=" does not apply to scopes, a list of strings; what does is :'],
    ["foo()", 1, 'there is no function "foo"; write the value itself'],
    ["AND", 1, 'expected a field name; the text "AND" goes in quotes'],
  ]),
  {
    name: "refuses a filter of more than 4096 bytes",
    run: async ({ api }) => {
      expect(await api.refusal("AdminListIssuedApiKeys", { filter: `actor_id="${"é".repeat(2048)}"` })).toEqual(
        invalid("filter", "must be at most 4096 bytes", "INVALID_FILTER"),
      );
    },
  },
  ...hostileFilterCases,
];

function walkIssued(api: Api, request: JsonObject) {
  return walkPages(async (page_token) => {
    const { issued_api_keys: keys, next_page_token } = await api.list({ ...request, page_token });
    return { keys, next_page_token };
  });
}

async function issueSeveral(api: Api, actorId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push((await api.issue({ actor_id: actorId })).issued_api_key.key_id);
  return ids;
}
