import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DomainContext } from "../../src/domain/context.js";
import { KEY_FIELDS } from "../../src/domain/key-fields.js";
import { keyStatus } from "../../src/domain/key-status.js";
import { type ListKeysInput, listKeys } from "../../src/domain/list-keys.js";
import { recordStatuses } from "../../src/domain/record-statuses.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { checkFilter } from "../../src/query/filter-checker.js";
import { countCalls } from "./count-calls.js";
import { createFixture, type Fixture, issue, issueMany, rotate, tenantId } from "./fixture.js";
import { withMethods } from "./with-methods.js";

/** Half a second, and what a busy test machine adds. */
const SLOWEST_PAGE_MS = 2_500;

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

type PageInput = Partial<Omit<ListKeysInput, "filter">> & { readonly filter?: string };

function page({ filter = "", ...input }: PageInput = {}, context: DomainContext = domain) {
  const all = { tenantId, kind: "issued" as const, pageSize: 10, maxBytes: 1_000, bytesOf: () => 1 };
  return listKeys(context, { ...all, ...input, filter: checkFilter(filter, KEY_FIELDS) });
}

describe("a page of keys", () => {
  test("is newest first, and the pages together are the whole list", async () => {
    const ids = await issueMany(domain, 7);
    const seen: string[] = [];
    let after: ListKeysInput["after"];
    do {
      const { records, next } = await page({ pageSize: 3, after });
      seen.push(...records.map((record) => record.keyId));
      after = next;
    } while (after !== undefined);
    expect(seen).toEqual(ids);
  });

  test("that is just full says so only when there is more", async () => {
    const ids = await issueMany(domain, 3);
    expect((await page({ pageSize: 3 })).next).toBeUndefined();
    expect((await page({ pageSize: 2 })).next).toMatchObject({ keyId: ids[1] });
  });

  test("ends before it grows too large, but holds one key at least", async () => {
    await issueMany(domain, 5);
    expect((await page({ maxBytes: 250, bytesOf: () => 100 })).records).toHaveLength(2);
    expect((await page({ maxBytes: 250, bytesOf: () => 1_000 })).records).toHaveLength(1);
  });

  test("tells the time at which its filter on status holds, however long it took", async () => {
    await issue(domain, { ttlMs: 1_000 });
    const active = await page({ filter: "status=KEY_STATUS_ACTIVE" });
    domain.advance(60_000);
    expect(active.records.map((record) => keyStatus(record, active.time))).toEqual(["active"]);
    expect((await page({ filter: "status=KEY_STATUS_ACTIVE" })).records).toEqual([]);
    expect((await page({ filter: "status=KEY_STATUS_EXPIRED" })).records).toHaveLength(1);
  });
});

describe("a filter", () => {
  const at = (ms: number) => `"${new Date(domain.clock().getTime() + ms).toISOString()}"`;

  test("on the time of creation reads that part of the list, and no more", async () => {
    const ids = await issueMany(domain, 9);
    const { store, count } = countCalls(domain.store);
    const asked: number[] = [];
    const counting = withMethods(store, {
      list: (query) => {
        asked.push(query.limit);
        return store.list(query);
      },
    });
    const { records, next } = await page(
      { filter: `create_time >= ${at(-5)} AND create_time < ${at(-2)}` },
      { ...domain, store: counting },
    );
    expect(records.map(({ keyId }) => keyId)).toEqual(ids.slice(3, 6));
    expect(next).toBeUndefined();
    expect(asked).toEqual([11]);
    expect(count("read")).toBe(0);
    expect((await page({ filter: `create_time = ${at(0)}` })).records.map(({ keyId }) => keyId)).toEqual(
      ids.slice(0, 1),
    );
  });

  test("on two actors or on a time that ends before it begins finds nothing, and asks nothing", async () => {
    await issueMany(domain, 2);
    const { store, count } = countCalls(domain.store);
    for (const filter of ["actor_id=a AND actor_id=b", `create_time > ${at(0)} AND create_time < ${at(0)}`]) {
      expect((await page({ filter }, { ...domain, store })).records).toEqual([]);
    }
    expect(count("list")).toBe(0);
  });

  test("shows a revocation only when it has come, and what is not set fits nothing", async () => {
    const { record } = await issue(domain);
    await rotate(domain, { ...record, overrides: {}, gracePeriodMs: 1_000 });
    const superseded = { filter: "revocation_reason=REVOCATION_REASON_SUPERSEDED" };
    expect((await page(superseded)).records).toEqual([]);
    expect((await page({ filter: 'last_used_time > "2020-01-01T00:00:00Z"' })).records).toEqual([]);
    domain.advance(1_000);
    expect((await page(superseded)).records.map(({ keyId }) => keyId)).toEqual([record.keyId]);
  });
});

describe("a filter on status", () => {
  const idsOf = async (filter: string) => (await page({ filter })).records.map(({ keyId }) => keyId);

  test("finds each key under what it is now, from the very millisecond, whatever was recorded", async () => {
    const lasting = (await issue(domain)).record.keyId;
    domain.advance(1);
    const ending = (await issue(domain, { ttlMs: 1_000 })).record.keyId;
    domain.advance(1);
    const { record } = await issue(domain);
    const rotated = record.keyId;
    const replacing = (await rotate(domain, { ...record, overrides: {}, gracePeriodMs: 1_000 })).record.keyId;
    domain.advance(1);
    const revoked = (await issue(domain)).record.keyId;
    await revokeKey(domain, { tenantId, keyId: revoked, reason: "unspecified", description: "" });

    expect(await idsOf("status=KEY_STATUS_ACTIVE")).toEqual([rotated, replacing, ending, lasting].sort(newestFirst));
    expect(await idsOf("status=KEY_STATUS_EXPIRED")).toEqual([]);
    expect(await idsOf("status=KEY_STATUS_REVOKED")).toEqual([revoked]);
    domain.advance(997);
    expect(await idsOf("status=KEY_STATUS_EXPIRED")).toEqual([]);
    domain.advance(1);
    expect(await idsOf("status=KEY_STATUS_EXPIRED")).toEqual([ending]);
    expect(await idsOf("status=KEY_STATUS_REVOKED")).toEqual([revoked]);
    domain.advance(1);
    expect(await idsOf("status=KEY_STATUS_REVOKED")).toEqual([revoked, rotated]);
    expect(await idsOf("status=KEY_STATUS_ACTIVE")).toEqual([replacing, lasting].sort(newestFirst));
    expect(await idsOf("actor_id=me AND status=KEY_STATUS_EXPIRED")).toEqual([ending]);
    expect(await idsOf("actor_id=you AND status=KEY_STATUS_EXPIRED")).toEqual([]);
  });

  test("finds an expired key that is revoked later under that", async () => {
    const { keyId } = (await issue(domain, { ttlMs: 1_000 })).record;
    domain.advance(1_000);
    expect(await idsOf("status=KEY_STATUS_EXPIRED")).toEqual([keyId]);
    await revokeKey(domain, { tenantId, keyId, reason: "key_compromise", description: "" });
    expect(await idsOf("status=KEY_STATUS_EXPIRED")).toEqual([]);
    expect(await idsOf("status=KEY_STATUS_REVOKED")).toEqual([keyId]);
  });

  test("reads past expired keys that were recorded, and not through them", async () => {
    const active = await issueMany(domain, 2);
    await issueExpired(300);
    await recordStatuses(domain);
    const { store, count } = countCalls(domain.store);
    const { records, next } = await page({ filter: "status=KEY_STATUS_ACTIVE" }, { ...domain, store });
    expect(records.map(({ keyId }) => keyId)).toEqual(active);
    expect(next).toBeUndefined();
    expect(count("list")).toBe(1);
  });

  test("finds active keys behind expired ones that were not recorded yet, too", async () => {
    const active = await issueMany(domain, 2);
    await issueExpired(300);
    expect(await idsOf("status=KEY_STATUS_ACTIVE")).toEqual(active);
  });

  test("records no more for a page than it may; the pages together are the whole list all the same", async () => {
    const count = 4_100;
    await issueExpired(count);
    const pages: number[] = [];
    const seen = new Set<string>();
    let after: ListKeysInput["after"];
    do {
      const { records, next } = await page({ filter: "status=KEY_STATUS_EXPIRED", pageSize: 1_000, after });
      pages.push(records.length);
      for (const { keyId } of records) seen.add(keyId);
      after = next;
    } while (after !== undefined);
    expect(pages).toEqual([0, 0, 1_000, 1_000, 1_000, 1_000, 100]);
    expect(seen.size).toBe(count);
  });

  /** Keys that expire a second from now, a second later. */
  async function issueExpired(count: number): Promise<void> {
    const { record } = await issue(domain, { ttlMs: 1_000 });
    const more = Array.from({ length: count - 1 }, (_, index) => ({ ...record, keyId: `${record.keyId}-${index}` }));
    await domain.store.insertMany(more);
    domain.advance(1_000);
  }

  /** Of ids of the same millisecond the smaller one comes first. */
  function newestFirst(a: string, b: string): number {
    const milliseconds = (id: string) => id.slice(0, 13);
    if (milliseconds(a) !== milliseconds(b)) return milliseconds(a) < milliseconds(b) ? 1 : -1;
    return a < b ? -1 : 1;
  }
});

describe("a filter that no index serves", () => {
  test("gives short and empty pages, and finds every match once", async () => {
    const { record } = await issue(domain);
    const more = Array.from({ length: 12_000 }, (_, index) => ({
      ...record,
      keyId: `${record.keyId}-${index}`,
      name: index % 4_000 === 0 ? "rare" : "demo",
      createTime: new Date(record.createTime.getTime() - index),
    }));
    await domain.store.insertMany(more);
    const pages: string[][] = [];
    let after: ListKeysInput["after"];
    do {
      const { records, next } = await page({ filter: "name=rare", after });
      pages.push(records.map(({ name }) => name));
      after = next;
    } while (after !== undefined);
    expect(pages.flat()).toEqual(["rare", "rare", "rare"]);
    // By the number of records; on a slow machine there are more, by the time.
    expect(pages.length).toBeGreaterThanOrEqual(3);
  });
});

test("a filter that is slow on every key ends the page early", async () => {
  const { record } = await issue(domain);
  const metadata = { a: Array.from({ length: 510 }, () => ({ b: 1 })) };
  await domain.store.insertMany(
    Array.from({ length: 5_000 }, (_, index) => ({ ...record, metadata, keyId: `${record.keyId}-${index}` })),
  );
  const filter = Array.from({ length: 64 }, (_, index) => `metadata.a.b:${index + 2}`).join(" OR ");
  const start = performance.now();
  const { records, next } = await page({ filter });
  expect(records).toEqual([]);
  expect(next).toBeDefined();
  expect(performance.now() - start).toBeLessThan(SLOWEST_PAGE_MS);
});
