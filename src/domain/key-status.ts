import type { KeyStatus, ListedStatus, Revocation } from "../store/key-store.js";

export const KEY_STATUSES: readonly KeyStatus[] = ["active", "revoked", "expired"];

interface Life {
  readonly expireTime?: Date | undefined;
  readonly revocation?: Revocation | undefined;
}

/** What a key is worth at `now`, whatever is stored: the clock decides, and a revocation wins over expiry. */
export function keyStatus(record: Life, now: Date): KeyStatus {
  if (isRevoked(record, now)) return "revoked";
  if (record.expireTime !== undefined && record.expireTime <= now) return "expired";
  return "active";
}

/** Where lists have to have a key from `now` on. Whoever writes a revocation writes this too. */
export function listedStatus(record: Life, now: Date): ListedStatus {
  const status = keyStatus(record, now);
  // A grace period never ends after the expiry. A revocation without one holds whatever time it is.
  const time = record.revocation === undefined ? record.expireTime : record.revocation.graceEnd;
  if (time === undefined) return { status };
  return status === "active" ? { status, until: time } : { status, since: time };
}

/** Only a grace period asks the clock: a plain revocation must not wait for one that is behind. */
function isRevoked({ revocation }: Life, now: Date): boolean {
  if (revocation === undefined) return false;
  return revocation.graceEnd === undefined || revocation.graceEnd <= now;
}
