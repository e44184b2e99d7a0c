import type { Collection } from "mongodb";
import { ServiceError } from "../../errors.js";
import { isDuplicateKey } from "./unavailable.js";

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
 * too, so that no fail-over decides a claim anew.
 */
export async function takeClaim(
  claims: ClaimCollection,
  name: string,
  value: Uint8Array,
  maxTimeMs: number,
): Promise<Uint8Array> {
  let failure: unknown;
  for (let round = 0; round <= MAX_ROUNDS; round += 1) {
    const claimed = await claims.findOne({ _id: name }, { maxTimeMS: maxTimeMs });
    if (claimed !== null) return new Uint8Array(claimed.value);
    // Not there, but a write whose outcome is unknown may yet arrive: nobody can say now what the value will be.
    if (failure !== undefined && !isDuplicateKey(failure)) throw failure;
    failure = await claims.insertOne({ _id: name, value }, { maxTimeMS: maxTimeMs }).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
  throw new ServiceError("UNAVAILABLE", "a claim could not be read back", { cause: failure });
}
