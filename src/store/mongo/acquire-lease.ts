import type { Collection, Db } from "mongodb";
import { ServiceError } from "../../errors.js";
import { isDuplicateKey } from "./unavailable.js";

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
  maxTimeMs: number,
): Promise<boolean> {
  const { name, holder, ttlMs } = request;
  const { localTime } = await database.command({ hello: 1 });
  if (!(localTime instanceof Date)) throw new ServiceError("UNAVAILABLE", "the server does not tell its time");
  const isFree = { _id: name, $or: [{ holder }, { expire_time: { $lte: localTime } }] };
  const take = { $set: { holder, expire_time: new Date(localTime.getTime() + ttlMs) } };
  try {
    await leases.updateOne(isFree, take, { upsert: true, maxTimeMS: maxTimeMs });
    return true;
  } catch (error) {
    // Not free, so the upsert tried to create a second one: another has it.
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
