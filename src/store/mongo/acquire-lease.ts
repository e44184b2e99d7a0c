import type { Collection } from "mongodb";
import { isDuplicateKey } from "./unavailable.js";

/** A lease in the collection `leases`, named by `_id`. */
export interface LeaseDocument {
  readonly _id: string;
  readonly holder: string;
  readonly expire_time: Date;
}

export type LeaseCollection = Collection<LeaseDocument>;

/** Decides by the server's clock: whoever the write names afterwards has the lease. */
export async function acquireLease(
  leases: LeaseCollection,
  lease: { readonly name: string; readonly holder: string; readonly ttlMs: number },
  maxTimeMs: number,
): Promise<boolean> {
  const taken = await takeIfFree(leases, lease, maxTimeMs);
  if (taken !== undefined) return taken;
  await createExpired(leases, lease.name, maxTimeMs);
  return (await takeIfFree(leases, lease, maxTimeMs)) ?? false;
}

/** `undefined`: there is no such lease yet. */
async function takeIfFree(
  leases: LeaseCollection,
  lease: { readonly name: string; readonly holder: string; readonly ttlMs: number },
  maxTimeMs: number,
): Promise<boolean | undefined> {
  // $literal: a holder that begins with "$" is still a name.
  const mine = { $literal: lease.holder };
  const isFree = { $or: [{ $eq: ["$holder", mine] }, { $lte: ["$expire_time", "$$NOW"] }] };
  const take = {
    $set: {
      holder: { $cond: [isFree, mine, "$holder"] },
      expire_time: { $cond: [isFree, { $add: ["$$NOW", lease.ttlMs] }, "$expire_time"] },
    },
  };
  const options = { returnDocument: "after", maxTimeMS: maxTimeMs } as const;
  const taken = await leases.findOneAndUpdate({ _id: lease.name }, [take], options);
  return taken === null ? undefined : taken.holder === lease.holder;
}

/** Apart from the taking, since not every server knows $$NOW in an upsert that meets another one. */
async function createExpired(leases: LeaseCollection, name: string, maxTimeMs: number): Promise<void> {
  try {
    await leases.insertOne({ _id: name, holder: "", expire_time: new Date(0) }, { maxTimeMS: maxTimeMs });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // another process was faster, which is as good
  }
}
