import type { Collection } from "mongodb";
import { ServiceError } from "../../errors.js";
import { isDuplicateKey } from "./unavailable.js";
import { writeUntilKnown } from "./write-until-known.js";

/** A claim in the collection `claims`, named by `_id`. */
export interface ClaimDocument {
  readonly _id: string;
  readonly value: Uint8Array;
}

export type ClaimCollection = Collection<ClaimDocument>;

/** More than one is needed where there is no claim yet, or another process is just about to make it. */
const MAX_ROUNDS = 8;

/**
 * What is stored under a name; stores `value` when nothing is. Only what a majority read has shown is answered, own values
 * too, so that no fail-over decides a claim anew. A write of unknown outcome that arrives late finds that claim there.
 */
export async function takeClaim(
  claims: ClaimCollection,
  name: string,
  value: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array> {
  return writeUntilKnown(timeoutMs, async (maxTimeMs) => {
    for (let round = 0; round <= MAX_ROUNDS; round += 1) {
      const claimed = await claims.findOne({ _id: name }, { maxTimeMS: maxTimeMs });
      if (claimed !== null) return new Uint8Array(claimed.value);
      await insertClaim(claims, { _id: name, value }, maxTimeMs);
    }
    throw new ServiceError("UNAVAILABLE", "a claim could not be read back");
  });
}

async function insertClaim(claims: ClaimCollection, claim: ClaimDocument, maxTimeMs: number): Promise<void> {
  try {
    await claims.insertOne(claim, { maxTimeMS: maxTimeMs });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}
