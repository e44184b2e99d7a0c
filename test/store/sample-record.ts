import { randomBytes, randomUUID } from "node:crypto";
import type { JsonObject, KeyRecord } from "../../src/store/key-store.js";

/** A record with only what every record has. */
export function sampleRecord(fields: Partial<KeyRecord> = {}): KeyRecord {
  return {
    tenantId: randomUUID(),
    keyId: randomUUID(),
    kind: "issued",
    version: 1,
    name: "deploy bot",
    actorId: "user:alice",
    scopes: [],
    visibility: "secret",
    createTime: new Date("2026-01-02T03:04:05.678Z"),
    updateTime: new Date("2026-01-02T03:04:05.678Z"),
    listed: { status: "active" },
    deriveSeed: new Uint8Array(randomBytes(32)),
    ...fields,
  };
}

/** A record with every field there is, each with a value that is easily lost on the way. */
export function fullRecord(fields: Partial<KeyRecord> = {}): KeyRecord {
  return sampleRecord({
    kind: "imported",
    keyId: randomBytes(32).toString("hex"),
    name: "Ключ 钥匙 🔑 \0 $name",
    actorId: "$where: 🦊\0\u2028'\"",
    scopes: ["$scope", "a.b", "c:d"],
    visibility: "public",
    metadata: nastyMetadata(),
    rateLimitPolicy: { quota: 2n ** 63n - 1n, windowMs: 86_400_000 * 365, unit: "content-bytes" },
    allowedCidrs: ["10.0.0.0/8", "2001:db8::/32"],
    expireTime: new Date("2036-12-31T23:59:59.999Z"),
    lastUsedTime: new Date("1970-01-01T00:00:00.001Z"),
    revocation: {
      graceEnd: new Date("2026-02-03T04:05:06.007Z"),
      reason: "privilege_withdrawn",
      description: "$description\nof two lines",
    },
    listed: {
      status: "expired",
      until: new Date("2026-02-03T04:05:06.008Z"),
      since: new Date("2026-02-03T04:05:06.009Z"),
    },
    secretHash: new Uint8Array(randomBytes(32)),
    successor: randomUUID(),
    pending: { predecessor: randomUUID(), version: 7 },
    idempotency: { requestIdHash: new Uint8Array(randomBytes(32)), fingerprint: new Uint8Array(randomBytes(32)) },
    sealedSecret: { box: new Uint8Array(randomBytes(61)), expireTime: new Date("2026-01-02T03:14:05.679Z") },
    ...fields,
  });
}

/** Keys that mean something to MongoDB, its driver, JavaScript or the store's own escapes; parsed, as `__proto__` must be. */
export function nastyMetadata(): JsonObject {
  return JSON.parse(`{
    "$where": "sleep(1000)", "$set": {"$ne": null}, "a.b": {"c.d": 1}, "a": {"b": 2}, ".": ".", "$": "$", "..": [[], [[]]],
    "": {"": ""}, "%": 1, "%24": 2, "%json": "{}", "%%": 3, "nul\\u0000key": "nul\\u0000value", "\\u0000": 0,
    "__proto__": {"polluted": true, "__proto__": [1]}, "constructor": {"prototype": {"polluted": 1}},
    "_id": 1, "_bsontype": "ObjectId", "nested": {"_bsontype": "Long", "low": 1, "high": 2, "toBSON": "x"},
    "ref": {"$ref": "keys", "$id": 1, "$db": "admin"}, "code": {"$code": "x", "$scope": {}}, "toJSON": "x",
    "hasOwnProperty": 1, "emoji 🦊": "🔑", "line\\u2028break": "\\"quotes\\" and \\\\", "then": 1, "length": 5,
    "empty": {}, "list": [null, true, false, {}, [], "", {"$x": [{"": 0}]}], "null": null,
    "numbers": [0, 1, -1, 1.5, 2147483647, 2147483648, -2147483649, 9007199254740991, 1e300, 5e-324, 1e21],
    "deep": ${nest(150)}
  }`) as JsonObject;
}

function nest(levels: number): string {
  return levels === 0 ? `"bottom"` : levels % 2 === 0 ? `{"$in": ${nest(levels - 1)}}` : `[${nest(levels - 1)}]`;
}
