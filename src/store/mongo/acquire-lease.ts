import type { Collection, Db } from "mongodb";
import { serverTime } from "./server-time.js";
import { isDuplicateKey } from "./unavailable.js";
import { writeUntilKnown } from "./write-until-known.js";

/** A lease in the collection `leases`, named by `_id`. */
export interface LeaseDocument {
  readonly _id: string;
  readonly holder: string;
  readonly expire_time: Date;
}

export type LeaseCollection = Collection<LeaseDocument>;

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
}

/**
 * Takes or renews a lease by the server's clock, read just before. (The clock of the write itself, $$NOW, is refused by the
 * test server in a write that meets another one.) The clock read is a little old by then, which only lets a lease look less
 * expired than it is.
 */
export async function acquireLease(
  database: Db,
  leases: LeaseCollection,
  request: LeaseRequest,
  timeoutMs: number,
): Promise<boolean> {
  return writeUntilKnown(timeoutMs, async (maxTimeMs) => {
    const now = serverTime(await database.command({ hello: 1 }));
    return takeLease(leases, request, now, maxTimeMs);
  });
}

async function takeLease(
  leases: LeaseCollection,
  { name, holder, ttlMs }: LeaseRequest,
  now: Date,
  maxTimeMs: number,
): Promise<boolean> {
  const isFree = { _id: name, $or: [{ holder }, { expire_time: { $lte: now } }] };
  const take = { $set: { holder, expire_time: new Date(now.getTime() + ttlMs) } };
  try {
    await leases.updateOne(isFree, take, { upsert: true, maxTimeMS: maxTimeMs });
    return true;
  } catch (error) {
    // Not free, so the upsert tried to create a second one: another has it.
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
