/**
 * How an export holds a key: JSON of its own, which no store's format has a part in. Times are RFC 3339 in UTC, bytes are base64,
 * the int64 quota is decimal text. A sealed secret stays behind: it is for retries within ten minutes.
 *
 * A field that is not known here is refused, for a key must not lose anything on the way: a new field is a new version of the
 * format (`export-format.ts`).
 */
import { z } from "zod";
import type { JsonObject, KeyRecord } from "../store/key-store.js";

const time = z.iso.datetime({ precision: 3 }).or(z.string().regex(/^[+-]\d{6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const base64 = z.base64();
const statuses = z.enum(["active", "revoked", "expired"]);

/** What is there once each record was read: the fields of `KeyRecord`, each under its name in the API where it has one. */
const exportedKey = z.strictObject({
  tenant_id: z.string(),
  key_id: z.string(),
  kind: z.enum(["issued", "imported"]),
  version: z.int().min(1),
  name: z.string(),
  actor_id: z.string(),
  scopes: z.array(z.string()),
  visibility: z.enum(["secret", "public"]),
  // As JSON.parse made it: a copy by zod would lose a field named `__proto__`.
  metadata: z.custom<JsonObject>(isJsonObject, "must be an object").optional(),
  rate_limit_policy: z
    .strictObject({
      quota: z.string().regex(/^\d{1,19}$/),
      window_ms: z.number().positive(),
      unit: z.enum(["requests", "content-bytes", "concurrent-requests"]),
    })
    .optional(),
  allowed_cidrs: z.array(z.string()).optional(),
  create_time: time,
  update_time: time,
  expire_time: time.optional(),
  last_used_time: time.optional(),
  revocation: z
    .strictObject({
      reason: z.enum(["unspecified", "key_compromise", "affiliation_changed", "superseded", "privilege_withdrawn"]),
      description: z.string().optional(),
      grace_end: time.optional(),
    })
    .optional(),
  listed: z.strictObject({ status: statuses, until: time.optional(), since: time.optional() }),
  secret_hash: base64.optional(),
  derive_seed: base64,
  successor: z.string().optional(),
  pending: z.strictObject({ predecessor: z.string(), version: z.int().min(1) }).optional(),
  idempotency: z.strictObject({ request_id_hash: base64, fingerprint: base64 }).optional(),
});

export type ExportedKey = z.input<typeof exportedKey>;

/** Every field of a record but the one that stays behind. The compiler asks for each that there is. */
const FIELDS: Readonly<Record<Exclude<keyof KeyRecord, "sealedSecret">, keyof ExportedKey>> = {
  tenantId: "tenant_id",
  keyId: "key_id",
  kind: "kind",
  version: "version",
  name: "name",
  actorId: "actor_id",
  scopes: "scopes",
  visibility: "visibility",
  metadata: "metadata",
  rateLimitPolicy: "rate_limit_policy",
  allowedCidrs: "allowed_cidrs",
  createTime: "create_time",
  updateTime: "update_time",
  expireTime: "expire_time",
  lastUsedTime: "last_used_time",
  revocation: "revocation",
  listed: "listed",
  secretHash: "secret_hash",
  deriveSeed: "derive_seed",
  successor: "successor",
  pending: "pending",
  idempotency: "idempotency",
};

/** What JSON.stringify is given. Fields that are not set are absent. */
export function encodeKey(record: KeyRecord): ExportedKey {
  const encoded = Object.entries(FIELDS).flatMap(([field, name]) => {
    const value = record[field as keyof typeof FIELDS];
    return value === undefined ? [] : [[name, field === "metadata" ? value : encodeValue(value)]];
  });
  return Object.fromEntries(encoded) as ExportedKey;
}

/** `undefined`: it is no key of this version of the format. */
export function decodeKey(value: unknown): KeyRecord | undefined {
  const { data: key } = exportedKey.safeParse(value);
  if (key === undefined) return undefined;
  const { rate_limit_policy: policy, revocation, listed, pending, idempotency } = key;
  return dropUndefined({
    tenantId: key.tenant_id,
    keyId: key.key_id,
    kind: key.kind,
    version: key.version,
    name: key.name,
    actorId: key.actor_id,
    scopes: key.scopes,
    visibility: key.visibility,
    metadata: key.metadata,
    rateLimitPolicy: policy && { quota: BigInt(policy.quota), windowMs: policy.window_ms, unit: policy.unit },
    allowedCidrs: key.allowed_cidrs,
    createTime: new Date(key.create_time),
    updateTime: new Date(key.update_time),
    expireTime: dateOf(key.expire_time),
    lastUsedTime: dateOf(key.last_used_time),
    revocation:
      revocation &&
      dropUndefined({
        reason: revocation.reason,
        description: revocation.description,
        graceEnd: dateOf(revocation.grace_end),
      }),
    listed: dropUndefined({ status: listed.status, until: dateOf(listed.until), since: dateOf(listed.since) }),
    secretHash: bytesOf(key.secret_hash),
    deriveSeed: new Uint8Array(Buffer.from(key.derive_seed, "base64")),
    successor: key.successor,
    pending: pending && { predecessor: pending.predecessor, version: pending.version },
    idempotency: idempotency && {
      requestIdHash: new Uint8Array(Buffer.from(idempotency.request_id_hash, "base64")),
      fingerprint: new Uint8Array(Buffer.from(idempotency.fingerprint, "base64")),
    },
  }) as KeyRecord;
}

function encodeValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // Sorted, so that a key is exported to the same bytes from any store.
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    fields.map(([name, field]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), encodeValue(field)]),
  );
}

function dropUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : new Uint8Array(Buffer.from(text, "base64"));
}

function isJsonObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
