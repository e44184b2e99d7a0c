import type { KeyRecord } from "../store/key-store.js";

export const KEY_STATUSES = ["active", "revoked", "expired"] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

/** What a key is worth at `now`, whatever is stored: the clock decides, and a revocation wins over expiry. */
export function keyStatus(record: KeyRecord, now: Date): KeyStatus {
  if (isRevoked(record, now)) return "revoked";
  if (record.expireTime !== undefined && record.expireTime <= now) return "expired";
  return "active";
}

/** Only a grace period asks the clock: a plain revocation must not wait for one that is behind. */
function isRevoked({ revocation }: KeyRecord, now: Date): boolean {
  if (revocation === undefined) return false;
  return revocation.graceEnd === undefined || revocation.graceEnd <= now;
}
