import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { keyStatus, listedStatus } from "../../src/domain/key-status.js";
import { recordStatuses, recordStatusesForList } from "../../src/domain/record-statuses.js";
import { sweep } from "../../src/domain/sweep.js";
import { ServiceError } from "../../src/errors.js";
import { countCalls } from "./count-calls.js";
import { createFixture, type Fixture, issue, rotate } from "./fixture.js";
import { withMethods } from "./with-methods.js";

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

describe("listedStatus", () => {
  const at = (ms: number) => new Date(ms);
  const rotatedUntil = (graceEnd: Date) => ({ reason: "superseded" as const, graceEnd });

  test.each([
    [{}, { status: "active" }],
    [{ expireTime: at(2) }, { status: "active", until: at(2) }],
    [{ expireTime: at(1) }, { status: "expired", since: at(1) }],
    [{ revocation: { reason: "unspecified" as const } }, { status: "revoked" }],
    [{ revocation: { reason: "unspecified" as const }, expireTime: at(2) }, { status: "revoked" }],
    [
      { revocation: rotatedUntil(at(2)), expireTime: at(3) },
      { status: "active", until: at(2) },
    ],
    [
      { revocation: rotatedUntil(at(1)), expireTime: at(3) },
      { status: "revoked", since: at(1) },
    ],
  ])("of %j is %j", (life, listed) => {
    expect(listedStatus(life, at(1))).toEqual(listed);
    expect(keyStatus(life, at(1))).toBe(listed.status);
  });
});

describe("recordStatuses", () => {
  test("records an expiry and the end of a grace period, once each, and nothing that is not due", async () => {
    const expiring = (await issue(domain, { ttlMs: 1_000 })).record;
    const lasting = (await issue(domain, { ttlMs: 1_001 })).record;
    const { old } = await rotate(domain, { ...(await issue(domain)).record, overrides: {}, gracePeriodMs: 1_000 });
    domain.advance(999);
    expect(await recordStatuses(domain)).toEqual({ recorded: 0, isDone: true });
    domain.advance(1);
    expect(await recordStatuses(domain)).toEqual({ recorded: 2, isDone: true });
    expect(await recordStatuses(domain)).toEqual({ recorded: 0, isDone: true });
    const since = domain.clock();
    expect(await domain.store.read(expiring)).toEqual({
      ...expiring,
      version: 2,
      listed: { status: "expired", since },
    });
    expect(await domain.store.read(old)).toEqual({
      ...old,
      version: old.version + 1,
      listed: { status: "revoked", since },
    });
    expect(await domain.store.read(lasting)).toEqual(lasting);
  });

  test("takes back what a clock that was ahead has recorded", async () => {
    const expiring = (await issue(domain, { ttlMs: 1_000 })).record;
    const { old } = await rotate(domain, { ...(await issue(domain)).record, overrides: {}, gracePeriodMs: 1_000 });
    domain.advance(5_000);
    expect(await recordStatuses(domain)).toEqual({ recorded: 2, isDone: true });
    domain.advance(-4_001);
    expect(await recordStatuses(domain)).toEqual({ recorded: 2, isDone: true });
    for (const record of [expiring, old]) {
      expect((await domain.store.read(record))?.listed).toEqual(record.listed);
    }
    domain.advance(1);
    expect(await recordStatuses(domain)).toEqual({ recorded: 2, isDone: true });
    domain.advance(-1);
    expect(await recordStatuses(domain)).toEqual({ recorded: 2, isDone: true });
  });

  test("finds a key again that somebody changed at the same time", async () => {
    const { record } = await issue(domain, { ttlMs: 1_000 });
    domain.advance(1_000);
    let isFirst = true;
    const store = withMethods(domain.store, {
      compareAndSet: async (id, version, change) => {
        if (isFirst) await domain.store.compareAndSet(record, 1, { name: "renamed" });
        isFirst = false;
        return domain.store.compareAndSet(id, version, change);
      },
    });
    expect(await recordStatuses({ ...domain, store })).toEqual({ recorded: 1, isDone: true });
    expect(await domain.store.read(record)).toMatchObject({
      name: "renamed",
      version: 3,
      listed: { status: "expired" },
    });
  });

  test("is part of a sweep, which ends early when it is told to", async () => {
    await issue(domain, { ttlMs: 1_000 });
    domain.advance(1_000);
    expect((await sweep(domain, AbortSignal.abort())).statusesRecorded).toBe(0);
    expect((await sweep(domain)).statusesRecorded).toBe(1);
  });

  test("that fails leaves the rest of a sweep's report", async () => {
    await issue(domain, { ttlMs: 1_000 });
    domain.advance(1_000);
    const failure = new ServiceError("UNAVAILABLE", "the key store cannot be reached");
    const store = withMethods(domain.store, { listDue: () => Promise.reject(failure) });
    expect(await sweep({ ...domain, store })).toMatchObject({ statusesRecorded: 0, errors: [failure] });
  });
});

describe("recordStatusesForList", () => {
  test("is done once for all the pages that wait for it", async () => {
    await issue(domain, { ttlMs: 1_000 });
    domain.advance(1_000);
    const { store, count } = countCalls(domain.store);
    const pages = Array.from({ length: 20 }, () => recordStatusesForList({ ...domain, store }));
    const [first, ...others] = await Promise.all(pages);
    expect(first).toEqual({ recorded: 1, isDone: true });
    for (const other of others) expect(other).toEqual({ recorded: 0, isDone: true });
    // Twice by the one that found something, and once more for all that came while it worked.
    expect(count("listDue")).toBe(3);
  });
});
