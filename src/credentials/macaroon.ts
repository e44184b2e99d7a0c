/**
 * The signatures of macaroons ("Macaroons: Cookies with Contextual Caveats", NDSS 2014, as libmacaroons computes them):
 *
 *     signature(0) = HMAC-SHA-256( HMAC-SHA-256( "macaroons-key-generator", root key ), identifier )
 *     signature(n) = HMAC-SHA-256( signature(n - 1), caveat n )
 *
 * The last one is the macaroon's. Whoever holds it can add a caveat, and nobody can take one away or reorder them.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Macaroon } from "./macaroon-codec.js";

const KEY_GENERATOR = "macaroons-key-generator";

/** A macaroon without caveats. `rootKey` may have any length. The location is a hint for whoever holds the macaroon. */
export function createMacaroon(rootKey: Uint8Array, identifier: Uint8Array, location?: string): Macaroon {
  return { ...(location && { location }), identifier, caveats: [], signature: sign(deriveKey(rootKey), identifier) };
}

/** The macaroon with one more first-party caveat. Needs no key: holders do this offline. */
export function addCaveat(macaroon: Macaroon, caveat: Uint8Array): Macaroon {
  return { ...macaroon, caveats: [...macaroon.caveats, caveat], signature: sign(macaroon.signature, caveat) };
}

/** Whether a macaroon was made with `rootKey` and has all the caveats that were added to it. Compares in constant time. */
export function verifySignature(macaroon: Macaroon, rootKey: Uint8Array): boolean {
  const expected = [macaroon.identifier, ...macaroon.caveats].reduce(sign, deriveKey(rootKey));
  return macaroon.signature.length === expected.length && timingSafeEqual(macaroon.signature, expected);
}

function deriveKey(rootKey: Uint8Array): Uint8Array {
  return sign(Buffer.from(KEY_GENERATOR), rootKey);
}

function sign(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}
