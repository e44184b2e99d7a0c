import type { KeyChange, KeyRecord, MutableField } from "../key-store.js";

/** Listed, so that nothing but these fields can change, whatever object a caller passes. */
const MUTABLE_FIELDS: readonly MutableField[] = [
  "name",
  "scopes",
  "metadata",
  "rateLimitPolicy",
  "allowedCidrs",
  "updateTime",
  "revocation",
  "listed",
  "successor",
  "pending",
  "sealedSecret",
];

/** The record after a change, at the next version. */
export function applyChange(record: KeyRecord, change: KeyChange): KeyRecord {
  const changed: Record<string, unknown> = { ...record, version: record.version + 1 };
  for (const field of MUTABLE_FIELDS) {
    const value = change[field];
    if (value === null) delete changed[field];
    else if (value !== undefined) changed[field] = value;
  }
  return changed as unknown as KeyRecord;
}
