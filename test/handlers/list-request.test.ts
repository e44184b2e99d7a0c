/** What a page token belongs to, and for how long, as the list handlers make and take them. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listPage } from "../../src/handlers/list-request.js";
import { type PageTokenKeys, sealPageToken } from "../../src/query/page-token.js";
import type { KeyKind } from "../../src/store/key-store.js";
import { createFixture, type Fixture, importRaw, issue, issueMany, tenantId } from "../domain/fixture.js";

const DAY_MS = 86_400_000;
const OTHER_TENANT_ID = "11111111-1111-4111-8111-111111111111";
const WRONG = "page_token: is not a next_page_token of this list with this filter";
const EXPIRED = "page_token: has expired; list again from the first page";
const FILTER = 'actor_id="me"';

const first: PageTokenKeys = keysOf(1);
const second: PageTokenKeys = { current: keysOf(2).current, all: [...keysOf(2).all, ...first.all] };

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

interface Asked {
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly filter?: string;
  readonly tenant?: string;
  readonly kind?: KeyKind;
  readonly keys?: PageTokenKeys;
}

async function page(asked: Asked = {}) {
  const { pageSize = 1, pageToken = "", filter = FILTER, tenant = tenantId, kind = "issued", keys = first } = asked;
  const scope = { tenantId: tenant, kind, bytesOf: () => 1 };
  const { records, nextPageToken } = await listPage(domain, keys, { pageSize, pageToken, filter }, scope);
  return { ids: records.map(({ keyId }) => keyId), token: nextPageToken };
}

describe("a page token", () => {
  test("is for one tenant, one list and one filter, to the letter", async () => {
    const ids = await issueMany(domain, 3);
    for (const rawKey of ["one", "two"]) await importRaw(domain, { rawKey });
    const { token } = await page();
    const { token: imported } = await page({ kind: "imported" });
    const wrong: Asked[] = [
      { tenant: OTHER_TENANT_ID },
      { kind: "imported" },
      { pageToken: imported },
      { filter: "" },
      { filter: ' actor_id="me"' },
      { filter: "actor_id=me" },
      { filter: 'actor_id="you"' },
      { keys: keysOf(2) },
    ];
    for (const asked of wrong) {
      await expect(page({ pageToken: token, ...asked })).rejects.toMatchObject({
        reason: "INVALID_PAGE_TOKEN",
        message: WRONG,
      });
    }
    expect((await page({ pageToken: token })).ids).toEqual([ids[1]]);
  });

  test("is good for pages of another size, and as often as it is used", async () => {
    const ids = await issueMany(domain, 7);
    const { token } = await page({ pageSize: 2 });
    expect((await page({ pageToken: token, pageSize: 1 })).ids).toEqual(ids.slice(2, 3));
    expect((await page({ pageToken: token, pageSize: 3 })).ids).toEqual(ids.slice(2, 5));
    expect((await page({ pageToken: token, pageSize: 0 })).ids).toEqual(ids.slice(2));
    expect(await page({ pageToken: token, pageSize: 2_147_483_647 })).toEqual({ ids: ids.slice(2), token: "" });
  });

  test("lives for 24 hours, each page's anew", async () => {
    const ids = await issueMany(domain, 4);
    const { token } = await page();
    domain.advance(DAY_MS - 1);
    const next = await page({ pageToken: token });
    expect(next.ids).toEqual([ids[1]]);
    domain.advance(1);
    await expect(page({ pageToken: token })).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN", message: EXPIRED });
    expect((await page({ pageToken: next.token })).ids).toEqual([ids[2]]);
  });

  test("outlives the secret it was made with, while that is retired", async () => {
    const ids = await issueMany(domain, 3);
    const { token } = await page();
    const next = await page({ pageToken: token, keys: second });
    expect(next.ids).toEqual([ids[1]]);
    await expect(page({ pageToken: next.token })).rejects.toMatchObject({ message: WRONG });
    expect((await page({ pageToken: next.token, keys: second })).ids).toEqual([ids[2]]);
    await expect(page({ pageToken: token, keys: keysOf(2) })).rejects.toMatchObject({ message: WRONG });
  });

  test("is looked at after the page size and the filter", async () => {
    await expect(page({ pageToken: "nonsense", filter: "nme=x" })).rejects.toMatchObject({ reason: "INVALID_FILTER" });
    await expect(page({ pageToken: "nonsense", pageSize: -1 })).rejects.toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: "page_size: must not be negative",
    });
  });

  test.each(["", "1", "1 ", "x 01a207b1", "8640000000000001 01a207b1"])("holds a place: not %j", async (position) => {
    const pageToken = sealPageToken(position, [tenantId, "issued", FILTER], first, domain.clock().getTime());
    await expect(page({ pageToken })).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN", message: WRONG });
  });

  test("is a place between keys, not a number of them", async () => {
    const ids = await issueMany(domain, 4);
    const { token } = await page({ pageSize: 2 });
    const newest = await issueMany(domain, 2);
    const record = await domain.store.read({ tenantId, keyId: ids[1] ?? "" });
    // Not even the key that it was made after has to be there.
    expect(await domain.store.delete({ tenantId, keyId: ids[1] ?? "" }, record?.version ?? 0)).toBe(true);
    expect((await page({ pageToken: token, pageSize: 10 })).ids).toEqual(ids.slice(2));
    expect((await page({ pageSize: 10 })).ids).toEqual([...newest, ids[0], ...ids.slice(2)]);
  });
});

function keysOf(byte: number): PageTokenKeys {
  const current = Buffer.alloc(32, byte);
  return { current, all: [current] };
}

test("a list that has much to record before it begins has a token for its beginning", async () => {
  const { record } = await issue(domain, { ttlMs: 1_000 });
  const more = Array.from({ length: 2_500 }, (_, index) => ({ ...record, keyId: `${record.keyId}-${index}` }));
  await domain.store.insertMany(more);
  domain.advance(1_000);
  const expired = { filter: "status=KEY_STATUS_EXPIRED", pageSize: 1_000 };
  const beginning = await page(expired);
  expect(beginning.ids).toEqual([]);
  const seen: string[] = [];
  for (let pageToken = beginning.token; pageToken !== ""; ) {
    const { ids, token } = await page({ ...expired, pageToken });
    seen.push(...ids);
    pageToken = token;
  }
  expect(new Set(seen).size).toBe(2_501);
  expect(seen).toHaveLength(2_501);
});
