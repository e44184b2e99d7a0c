import type { FieldReader } from "../query/filter-evaluator.js";
import type { FilterFields } from "../query/filter-fields.js";
import type { KeyRecord, KeyStatus, RevocationReason, Visibility } from "../store/key-store.js";
import { KEY_STATUSES, keyStatus } from "./key-status.js";

const VISIBILITIES: readonly Visibility[] = ["secret", "public"];
const REVOCATION_REASONS: readonly RevocationReason[] = [
  "unspecified",
  "key_compromise",
  "affiliation_changed",
  "superseded",
  "privilege_withdrawn",
];

const statusName = enumName("KEY_STATUS_");
const visibilityName = enumName("KEY_VISIBILITY_");
const reasonName = enumName("REVOCATION_REASON_");

/** The fields of a key that a list can be filtered on, and what its indexes serve. */
export const KEY_FIELDS = [
  { path: "key_id", type: "string" },
  { path: "name", type: "string" },
  { path: "actor_id", type: "string", indexed: "equality" },
  { path: "status", type: "enum", values: KEY_STATUSES.map(statusName), indexed: "equality" },
  { path: "visibility", type: "enum", values: VISIBILITIES.map(visibilityName) },
  { path: "scopes", type: "string list" },
  { path: "metadata", type: "struct" },
  { path: "create_time", type: "timestamp", indexed: "range" },
  { path: "update_time", type: "timestamp" },
  { path: "expire_time", type: "timestamp" },
  { path: "last_used_time", type: "timestamp" },
  { path: "revocation_reason", type: "enum", values: REVOCATION_REASONS.map(reasonName) },
] as const satisfies FilterFields;

type KeyField = (typeof KEY_FIELDS)[number]["path"];

const READERS: Readonly<Record<KeyField, (record: KeyRecord, now: Date) => unknown>> = {
  key_id: ({ keyId }) => keyId,
  name: ({ name }) => name,
  actor_id: ({ actorId }) => actorId,
  status: (record, now) => statusName(keyStatus(record, now)),
  visibility: ({ visibility }) => visibilityName(visibility),
  scopes: ({ scopes }) => scopes,
  metadata: ({ metadata }) => metadata,
  create_time: ({ createTime }) => createTime,
  update_time: ({ updateTime }) => updateTime,
  expire_time: ({ expireTime }) => expireTime,
  last_used_time: ({ lastUsedTime }) => lastUsedTime,
  // One that is still to come, at the end of a grace period, is not shown.
  revocation_reason: (record, now) =>
    record.revocation && keyStatus(record, now) === "revoked" ? reasonName(record.revocation.reason) : undefined,
};

/** The fields of a key as the API shows them at `now`. */
export function keyFieldReader(record: KeyRecord, now: Date): FieldReader {
  return (path) => READERS[path as KeyField](record, now);
}

/** The status that a filter names. */
export function statusFromName(name: unknown): KeyStatus | undefined {
  return KEY_STATUSES.find((status) => statusName(status) === name);
}

/** The name of a value in the API. */
function enumName(prefix: string): (value: string) => string {
  return (value) => prefix + value.toUpperCase();
}
