import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { keyStatus } from "../../src/domain/key-status.js";
import { type ListKeysInput, listKeys } from "../../src/domain/list-keys.js";
import { createFixture, type Fixture, issue, tenantId } from "./fixture.js";

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

function page(input: Partial<ListKeysInput> = {}) {
  const all = { tenantId, kind: "issued" as const, filter: {}, pageSize: 10, maxBytes: 1_000, bytesOf: () => 1 };
  return listKeys(domain, { ...all, ...input });
}

/** Issues keys a millisecond apart; answers their ids, newest first. */
async function issueMany(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    domain.advance(1);
    ids.unshift((await issue(domain)).record.keyId);
  }
  return ids;
}

describe("a page of keys", () => {
  test("is newest first, and the pages together are the whole list", async () => {
    const ids = await issueMany(7);
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
    const ids = await issueMany(3);
    expect((await page({ pageSize: 3 })).next).toBeUndefined();
    expect((await page({ pageSize: 2 })).next).toMatchObject({ keyId: ids[1] });
  });

  test("ends before it grows too large, but holds one key at least", async () => {
    await issueMany(5);
    expect((await page({ maxBytes: 250, bytesOf: () => 100 })).records).toHaveLength(2);
    expect((await page({ maxBytes: 250, bytesOf: () => 1_000 })).records).toHaveLength(1);
  });

  test("tells the time at which its filter on status holds, however long it took", async () => {
    await issue(domain, { ttlMs: 1_000 });
    const active = await page({ filter: { status: "active" } });
    domain.advance(60_000);
    expect(active.records.map((record) => keyStatus(record, active.time))).toEqual(["active"]);
    expect((await page({ filter: { status: "active" } })).records).toEqual([]);
    expect((await page({ filter: { status: "expired" } })).records).toHaveLength(1);
  });
});
