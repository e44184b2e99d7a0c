/** What an earlier release wrote is read to the letter. The document here is what it wrote, and is not to be changed. */

import { afterAll, describe, expect, test } from "@jest/globals";
import { Binary, Int32, Long, MongoClient } from "mongodb";
import type { KeyRecord } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";

const TIMEOUT_MS = 10_000;

const id = { tenantId: "7f1c1f6e-9d4e-4a51-8d5e-2f3c6d5b4a39", keyId: "0198c5d2-6f1a-7c3e-9b2d-4e5f6a7b8c9d" };

/** Before `idempotency`, `sealed_secret` and `listed`. */
const FIRST_DOCUMENT = {
  _id: `${id.tenantId}/${id.keyId}`,
  tenant_id: id.tenantId,
  key_id: id.keyId,
  kind: "issued",
  version: new Int32(3),
  name: "deploy bot",
  actor_id: "user:alice",
  scopes: ["read"],
  visibility: "secret",
  metadata: { team: "payments", "%24set": "x" },
  rate_limit_policy: { quota: Long.MAX_VALUE, window_ms: new Int32(60_000), unit: "requests" },
  allowed_cidrs: ["10.0.0.0/8"],
  create_time: new Date("2026-01-02T03:04:05.678Z"),
  update_time: new Date("2026-01-02T03:04:05.679Z"),
  expire_time: new Date("2027-01-02T03:04:05.678Z"),
  last_used_time: new Date(1),
  revocation: { reason: "superseded", grace_end: new Date(1767323050000) },
  secret_hash: new Binary(new Uint8Array([1, 2, 3])),
  derive_seed: new Binary(new Uint8Array([4, 5, 6])),
  successor: "0198c5d2-0000-7000-8000-000000000000",
  pending: { predecessor: "none", version: new Int32(7) },
  changed_at: new Date(2),
};

const RECORD: KeyRecord = {
  ...id,
  kind: "issued",
  version: 3,
  name: "deploy bot",
  actorId: "user:alice",
  scopes: ["read"],
  visibility: "secret",
  metadata: { team: "payments", $set: "x" },
  rateLimitPolicy: { quota: 9223372036854775807n, windowMs: 60_000, unit: "requests" },
  allowedCidrs: ["10.0.0.0/8"],
  createTime: FIRST_DOCUMENT.create_time,
  updateTime: FIRST_DOCUMENT.update_time,
  expireTime: FIRST_DOCUMENT.expire_time,
  lastUsedTime: FIRST_DOCUMENT.last_used_time,
  revocation: { reason: "superseded", graceEnd: new Date(1767323050000) },
  listed: { status: "active", until: new Date(1767323050000) },
  secretHash: new Uint8Array([1, 2, 3]),
  deriveSeed: new Uint8Array([4, 5, 6]),
  successor: "0198c5d2-0000-7000-8000-000000000000",
  pending: { predecessor: "none", version: 7 },
};

/** All that an earlier release created. */
const FIRST_INDEXES = [
  { name: "by_kind", key: { tenant_id: 1, kind: 1, create_time: -1, key_id: 1 } },
  { name: "by_actor", key: { tenant_id: 1, kind: 1, actor_id: 1, create_time: -1, key_id: 1 } },
  { name: "pending", key: { create_time: 1 }, partialFilterExpression: { pending: { $exists: true } } },
  { name: "tombstones", key: { changed_at: 1 }, partialFilterExpression: { deleted: true } },
] as const;

const mongo = await mongoTestUri();
(mongo === undefined ? describe.skip : describe)(
  `A collection of an earlier release${mongo === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    const uri = mongo?.uri ?? "";

    afterAll(async () => {
      await mongo?.dispose();
    });

    test("is read as it was, and takes sealed secrets and claims", async () => {
      const client = new MongoClient(uri);
      const keys = client.db().collection<{ _id: string }>("keys");
      await keys.createIndexes(FIRST_INDEXES.map((index) => ({ ...index })));
      await keys.insertOne(FIRST_DOCUMENT);

      const store = await openMongoStore({ uri, timeoutMs: TIMEOUT_MS });
      const read = await store.read(id);
      expect(read).toEqual(RECORD);
      expect(Object.keys(read ?? {}).sort()).toEqual(Object.keys(RECORD).sort());
      expect(await store.listSealed(new Date(), 10)).toEqual([]);
      const sealedSecret = { box: new Uint8Array([7]), expireTime: new Date(5) };
      const sealed = { ...RECORD, sealedSecret, version: 4 };
      expect(await store.compareAndSet(id, 3, { sealedSecret })).toEqual(sealed);
      expect(await store.listSealed(new Date(6), 10)).toEqual([sealed]);
      expect(await store.claim("name", new Uint8Array([8]))).toEqual(new Uint8Array([8]));
      await store.close();

      const indexes = (await keys.indexes()).map(({ name }) => name).sort();
      expect(indexes).toEqual([
        "_id_",
        "by_actor",
        "by_actor_and_status",
        "by_kind",
        "by_status",
        "changes",
        "due",
        "pending",
        "sealed",
        "since",
        "tombstones",
      ]);
      await client.close();
    });
  },
);
