import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { getKey } from "../../src/domain/get-key.js";
import { listKeys } from "../../src/domain/list-keys.js";
import { revokeKey } from "../../src/domain/revoke-key.js";
import { sweep } from "../../src/domain/sweep.js";
import { updateKey } from "../../src/domain/update-key.js";
import type { KeyStore } from "../../src/store/key-store.js";
import { createFixture, type Fixture, issue, rotate, tenantId, verdict } from "./fixture.js";
import { withFaults } from "./with-faults.js";

const HOUR_MS = 3_600_000;

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

const rotation = { overrides: {}, gracePeriodMs: 0 };

const EVERYTHING = { kind: "and" as const, filters: [] };

describe("the commit of a rotation", () => {
  test("whose reply is lost is recognised", async () => {
    const { secret, record } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", ["applied, and the reply lost"]);
    const rotated = await rotate({ ...domain, store }, { ...record, ...rotation });
    expect(await verdict(domain, rotated.secret)).toBe("active");
    expect(await verdict(domain, secret)).toBe("revoked");
  });

  test("that was not applied is tried again", async () => {
    const { record } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", [
      "lost before it was applied",
      "lost before it was applied",
    ]);
    const rotated = await rotate({ ...domain, store }, { ...record, ...rotation });
    expect(await verdict(domain, rotated.secret)).toBe("active");
  });

  test("that is never applied leaves the old key, and a pending one that nobody sees and the sweeper removes", async () => {
    const { secret, record } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", Array(3).fill("lost before it was applied"));
    await expect(rotate({ ...domain, store }, { ...record, ...rotation })).rejects.toThrow("the reply was lost");

    expect(await verdict(domain, secret)).toBe("active");
    const [pending] = await domain.store.listPending(new Date(domain.clock().getTime() + 1), 10);
    if (pending === undefined) throw new Error("no pending key");
    await expect(getKey(domain, pending, "issued")).rejects.toThrow("API key not found");
    await expect(revokeKey(domain, { ...pending, reason: "unspecified", description: "" })).rejects.toThrow(
      "API key not found",
    );
    const page = {
      tenantId,
      kind: "issued" as const,
      filter: EVERYTHING,
      pageSize: 10,
      maxBytes: 1_000,
      bytesOf: () => 1,
    };
    expect((await listKeys(domain, page)).records.map((key) => key.keyId)).toEqual([record.keyId]);

    expect(await sweep(domain)).toEqual({
      pendingCompleted: 0,
      pendingRemoved: 0,
      secretsRemoved: 0,
      statusesRecorded: 0,
      tombstonesRemoved: 0,
      errors: [],
    });
    domain.advance(HOUR_MS);
    expect(await sweep(domain)).toEqual({
      pendingCompleted: 0,
      pendingRemoved: 1,
      secretsRemoved: 0,
      statusesRecorded: 0,
      tombstonesRemoved: 0,
      errors: [],
    });
    expect(await domain.store.read(pending)).toBeUndefined();
    expect(await verdict(domain, secret)).toBe("active");
  });

  test("that lost to an update removes its key and says so", async () => {
    const { secret, record } = await issue(domain);
    const store = new Proxy(domain.store, {
      get(target, property) {
        const value = Reflect.get(target, property);
        if (property !== "insert") return value.bind(target);
        return async (...parameters: Parameters<KeyStore["insert"]>) => {
          const result = await target.insert(...parameters);
          await updateKey(domain, { ...record, attributes: { name: "changed meanwhile" }, path: "" });
          return result;
        };
      },
    });
    await expect(rotate({ ...domain, store }, { ...record, ...rotation })).rejects.toMatchObject({
      reason: "CONCURRENT_CHANGE",
    });
    expect(await verdict(domain, secret)).toBe("active");
    expect((await domain.store.list({ tenantId, kind: "issued", limit: 10 })).records).toHaveLength(1);
  });
});

describe("a rotation that stops after its commit", () => {
  test("is completed by whoever reads the new key", async () => {
    const { record } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", ["none", "lost before it was applied"]);
    const { record: successor, secret } = await rotate({ ...domain, store }, { ...record, ...rotation });
    expect((await domain.store.read(successor))?.pending).toBeDefined();

    expect(await verdict(domain, secret)).toBe("active");
    expect((await domain.store.read(successor))?.pending).toBeUndefined();
  });

  test("is completed by the sweeper", async () => {
    const { record } = await issue(domain);
    const store = withFaults(domain.store, "compareAndSet", ["none", "lost before it was applied"]);
    const { record: successor } = await rotate({ ...domain, store }, { ...record, ...rotation });
    domain.advance(HOUR_MS);
    expect(await sweep(domain)).toEqual({
      pendingCompleted: 1,
      pendingRemoved: 0,
      secretsRemoved: 0,
      statusesRecorded: 0,
      tombstonesRemoved: 0,
      errors: [],
    });
    expect((await domain.store.read(successor))?.pending).toBeUndefined();
  });
});

describe("the sweeper", () => {
  test("makes a commit that arrives after it fail", async () => {
    const { secret, record } = await issue(domain);
    const lost = withFaults(domain.store, "compareAndSet", Array(3).fill("lost before it was applied"));
    await rotate({ ...domain, store: lost }, { ...record, ...rotation }).catch(() => undefined);
    const [pending] = await domain.store.listPending(new Date(domain.clock().getTime() + 1), 10);
    domain.advance(HOUR_MS);
    await sweep(domain);

    const late = await domain.store.compareAndSet(record, record.version, { successor: pending?.keyId ?? "" });
    expect(late).toBeUndefined();
    expect(await verdict(domain, secret)).toBe("active");
  });

  test("removes tombstones after a day, and not before", async () => {
    const { record } = await issue(domain);
    await domain.store.delete(record, record.version);
    const now = Date.now();
    const at = (ms: number) => ({ ...domain, clock: () => new Date(now + ms) });
    expect((await sweep(at(23 * HOUR_MS))).tombstonesRemoved).toBe(0);
    expect((await sweep(at(25 * HOUR_MS))).tombstonesRemoved).toBe(1);
  });
});
