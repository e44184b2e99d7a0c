/**
 * Ids of derived tokens (`jti`): UUIDs of version 7 whose last five bytes tie them to the key they were made from. A key that is
 * imported again after a delete has the same id, but another seed: tokens of before are not its own.
 */
import { createHmac } from "node:crypto";
import { createUuidV7, parseUuid, UUID_BYTES, uuidFromBytes, uuidToBytes } from "./uuid.js";

const TIE_BYTES = 5;
const LABEL = "latchkey/token-id/v1";

/** `random` is 16 random bytes, of which the ones in the middle are used. */
export function createTokenId(unixTimeMs: number, random: Uint8Array, deriveSeed: Uint8Array): string {
  const id = uuidToBytes(createUuidV7(unixTimeMs, random));
  tieOf(id, deriveSeed).copy(id, UUID_BYTES - TIE_BYTES);
  return uuidFromBytes(id);
}

/** Whether a token with this id was made from the key that has this seed. The id itself must be known to be authentic. */
export function isTokenIdOf(tokenId: string, deriveSeed: Uint8Array): boolean {
  if (parseUuid(tokenId) !== tokenId) return false;
  const id = uuidToBytes(tokenId);
  return tieOf(id, deriveSeed).equals(id.subarray(UUID_BYTES - TIE_BYTES));
}

function tieOf(id: Buffer, deriveSeed: Uint8Array): Buffer {
  const hmac = createHmac("sha256", deriveSeed)
    .update(LABEL)
    .update(id.subarray(0, UUID_BYTES - TIE_BYTES));
  return hmac.digest().subarray(0, TIE_BYTES);
}
