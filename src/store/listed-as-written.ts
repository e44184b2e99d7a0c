import type { ListedStatus, Revocation } from "./key-store.js";

/** Where lists by status have a record from before `listed`: under what was written of it, and only a revocation was. */
export function listedAsWritten(revocation: Revocation | undefined, expireTime: Date | undefined): ListedStatus {
  const status = revocation !== undefined && revocation.graceEnd === undefined ? "revoked" : "active";
  const until = revocation === undefined ? expireTime : revocation.graceEnd;
  return until === undefined ? { status } : { status, until };
}
