/** What an earlier release wrote is read to the letter. The texts here are what it wrote, and are not to be changed. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { open } from "lmdb";
import { backupEmbeddedStore } from "../../src/store/embedded/backup-store.js";
import { recordKey } from "../../src/store/embedded/index-keys.js";
import { migrateEmbedded, readEmbeddedMigrations } from "../../src/store/embedded/migrate-embedded.js";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import type { KeyRecord } from "../../src/store/key-store.js";

const id = { tenantId: "7f1c1f6e-9d4e-4a51-8d5e-2f3c6d5b4a39", keyId: "0198c5d2-6f1a-7c3e-9b2d-4e5f6a7b8c9d" };

/** Before `idempotency`, `sealedSecret` and `listed`. */
const FIRST_FORMAT_1 =
  '{"format":1,"tenantId":"7f1c1f6e-9d4e-4a51-8d5e-2f3c6d5b4a39","keyId":"0198c5d2-6f1a-7c3e-9b2d-4e5f6a7b8c9d",' +
  '"kind":"issued","version":3,"name":"deploy bot","actorId":"user:alice","scopes":["read"],"visibility":"secret",' +
  '"metadata":{"team":"payments"},"rateLimitPolicy":{"quota":"9223372036854775807","windowMs":60000,"unit":"requests"},' +
  '"allowedCidrs":["10.0.0.0/8"],"createTime":1767323045678,"updateTime":1767323045679,"expireTime":1798859045678,' +
  '"lastUsedTime":1,"revocation":{"reason":"superseded","graceEnd":1767323050000},"secretHash":"AQID","deriveSeed":"BAUG",' +
  '"successor":"0198c5d2-0000-7000-8000-000000000000","pending":{"predecessor":"none","version":7}}';

const RECORD: KeyRecord = {
  ...id,
  kind: "issued",
  version: 3,
  name: "deploy bot",
  actorId: "user:alice",
  scopes: ["read"],
  visibility: "secret",
  metadata: { team: "payments" },
  rateLimitPolicy: { quota: 9223372036854775807n, windowMs: 60_000, unit: "requests" },
  allowedCidrs: ["10.0.0.0/8"],
  createTime: new Date("2026-01-02T03:04:05.678Z"),
  updateTime: new Date("2026-01-02T03:04:05.679Z"),
  expireTime: new Date("2027-01-02T03:04:05.678Z"),
  lastUsedTime: new Date(1),
  revocation: { reason: "superseded", graceEnd: new Date(1767323050000) },
  listed: { status: "active", until: new Date(1767323050000) },
  secretHash: new Uint8Array([1, 2, 3]),
  deriveSeed: new Uint8Array([4, 5, 6]),
  successor: "0198c5d2-0000-7000-8000-000000000000",
  pending: { predecessor: "none", version: 7 },
};

let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-format-"));
  const root = open({ path: directory, noSubdir: false, overlappingSync: false });
  const options = { keyEncoding: "binary", encoding: "string" } as const;
  await root.openDB<string, Uint8Array>({ name: "meta", ...options }).put(Buffer.from("format"), "1");
  const records = root.openDB<string, Uint8Array>({ name: "records", ...options });
  await records.put(recordKey(id) ?? Buffer.alloc(0), FIRST_FORMAT_1);
  await root.close();
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test("a record from before sealed secrets is read as it was", async () => {
  const store = await openEmbeddedStore({ directory });
  expect(await store.read(id)).toEqual(RECORD);
  expect(Object.keys((await store.read(id)) ?? {}).sort()).toEqual(Object.keys(RECORD).sort());
  await store.close();
});

test("a directory from before sealed secrets and claims takes both", async () => {
  const store = await openEmbeddedStore({ directory });
  expect(await store.listSealed(new Date(), 10)).toEqual([]);
  const sealedSecret = { box: new Uint8Array([7]), expireTime: new Date(5) };
  const sealed = { ...RECORD, sealedSecret, version: 4 };
  expect(await store.compareAndSet(id, 3, { sealedSecret })).toEqual(sealed);
  expect(await store.listSealed(new Date(6), 10)).toEqual([sealed]);
  expect(await store.claim("name", new Uint8Array([8]))).toEqual(new Uint8Array([8]));
  await store.close();
});

test("a directory from before is refused, and stays as it is, where it is not to be brought up to date", async () => {
  const file = join(directory, "data.mdb");
  const before = readFileSync(file);
  await expect(openEmbeddedStore({ directory, upgrade: false })).rejects.toMatchObject({
    reason: "UNAVAILABLE",
    message: `the store directory ${directory} cannot be opened: it has format 1, this release needs format 2: stop the services of the release before, then run "latchkey migrate up"`,
  });
  expect(readFileSync(file).equals(before)).toBe(true);
  await (await openEmbeddedStore({ directory })).close();
  await (await openEmbeddedStore({ directory, upgrade: false })).close();
});

test("a new directory is made either way", async () => {
  const store = await openEmbeddedStore({ directory: join(directory, "new"), upgrade: false });
  expect(await store.read(id)).toBeUndefined();
  await store.close();
});

test("a backup is of the format of the store, and the store stays as it is", async () => {
  const file = join(directory, "data.mdb");
  const before = readFileSync(file);
  const copy = join(directory, "copy");
  await backupEmbeddedStore(directory, copy, new AbortController().signal);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(await statesOf(copy)).toEqual([true, false]);
  await (await openEmbeddedStore({ directory })).close();
  const later = join(directory, "later");
  await backupEmbeddedStore(directory, later, new AbortController().signal);
  expect(await statesOf(later)).toEqual([true, true]);
});

test("migrations are the formats, and change nothing before they are applied", async () => {
  const file = join(directory, "data.mdb");
  const before = readFileSync(file);
  expect(await readEmbeddedMigrations(directory)).toEqual([
    { version: 1, name: "keys and their lists", isApplied: true },
    { version: 2, name: "lists by status", isApplied: false },
  ]);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(await migrateEmbedded(directory)).toEqual([{ version: 2, name: "lists by status", isApplied: true }]);
  expect(await statesOf(directory)).toEqual([true, true]);
  expect(await migrateEmbedded(directory)).toEqual([]);
});

async function statesOf(path: string): Promise<boolean[]> {
  return (await readEmbeddedMigrations(path)).map(({ isApplied }) => isApplied);
}

test("a directory from before lists by status has them, once it was opened", async () => {
  for (const _time of ["first", "second"]) {
    const store = await openEmbeddedStore({ directory });
    const { tenantId } = id;
    const { actorId } = RECORD;
    const list = { tenantId, kind: "issued", status: "active", limit: 10 } as const;
    expect((await store.list(list)).records).toEqual([RECORD]);
    expect((await store.list({ ...list, actorId })).records).toEqual([RECORD]);
    expect((await store.list({ ...list, status: "revoked" })).records).toEqual([]);
    expect(await store.listDue(new Date(1767323050001), 10)).toEqual([RECORD]);
    await store.close();
  }
});
