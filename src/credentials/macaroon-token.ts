/**
 * Derived tokens as macaroons: `<prefix>_v1_<base64url( macaroon, version 2 binary )>`. The identifier is the claims as
 * JSON; holders add the caveats of `caveat.ts`.
 */
import { createHmac } from "node:crypto";
import { decodeBase64Url, encodeBase64Url } from "./base64url.js";
import { type Caveat, parseCaveat } from "./caveat.js";
import { claimsFromJson, claimsToJson, type DerivedClaims, MAX_TOKEN_CHARACTERS } from "./derived-claims.js";
import { decodeUtf8, parseJson } from "./json.js";
import { createMacaroon } from "./macaroon.js";
import { decodeMacaroon, encodeMacaroon, type Macaroon } from "./macaroon-codec.js";
import { UUID_BYTES, uuidToBytes } from "./uuid.js";

const VERSION_MARK = "_v1_";
/** Of the seed in each key's record. */
export const DERIVE_SEED_BYTES = 32;
const MAX_CAVEATS = 64;

/** What a token says of itself, not yet known to be true. */
export type ParsedMacaroonToken =
  | { readonly macaroon: Macaroon; readonly claims: DerivedClaims; readonly caveats: readonly Caveat[] }
  | { readonly error: "invalid_format" };

const INVALID_FORMAT: ParsedMacaroonToken = { error: "invalid_format" };

/**
 * The root key, 32 bytes, of the macaroons derived from one key:
 *
 *     HMAC-SHA-256( hkdfKey, tenant id, 16 bytes || root key id, its text in UTF-8 || derive seed, 32 bytes )
 *
 * Only the part in the middle has no fixed length, so no two keys give the same bytes. `hkdfKey` is the key for
 * "latchkey/macaroon/v1" of the key ring; `deriveSeed` is in the root key's record.
 * @throws RangeError when the tenant id is no UUID, or the seed does not have 32 bytes
 */
export function macaroonRootKey(
  hkdfKey: Uint8Array,
  tenantId: string,
  rootKeyId: string,
  deriveSeed: Uint8Array,
): Uint8Array {
  const tenant = uuidToBytes(tenantId);
  if (tenant.length !== UUID_BYTES) throw new RangeError("a tenant id is a UUID");
  if (deriveSeed.length !== DERIVE_SEED_BYTES) throw new RangeError(`a derive seed has ${DERIVE_SEED_BYTES} bytes`);
  return createHmac("sha256", hkdfKey).update(tenant).update(rootKeyId, "utf8").update(deriveSeed).digest();
}

/**
 * A macaroon that says `claims`, without caveats. Its location is the issuer: nothing reads it here, but there are libraries
 * that write an empty one where there was none, which is no macaroon of version 2.
 */
export function createClaimsMacaroon(claims: DerivedClaims, rootKey: Uint8Array): Macaroon {
  return createMacaroon(rootKey, Buffer.from(JSON.stringify(claimsToJson(claims))), claims.issuer);
}

/** Whether a credential has the form of a macaroon. Says nothing about its content. */
export function isMacaroonShaped(credential: string, prefix: string): boolean {
  return credential.startsWith(`${prefix}${VERSION_MARK}`);
}

/** The token may be longer than `MAX_TOKEN_CHARACTERS` when there are many scopes: the caller checks. */
export function formatMacaroonToken(macaroon: Macaroon, prefix: string): string {
  return `${prefix}${VERSION_MARK}${encodeBase64Url(encodeMacaroon(macaroon))}`;
}

/**
 * Takes a token apart. The claims say which root key to try, and only that: nobody may act on them, or on the caveats,
 * before `verifySignature` of the macaroon held with the `macaroonRootKey` that they name. Then come the issuer and the
 * audience, which must be this service's own, the location, which is not signed and may only repeat the issuer, `narrow`, and
 * the clock and the client's address.
 *
 * `invalid_format`: not a macaroon with this prefix, with more than 64 caveats, or with claims of another shape. Of JSON
 * members with the same name the last one counts. Never throws.
 */
export function parseMacaroonToken(credential: string, prefix: string): ParsedMacaroonToken {
  if (credential.length > MAX_TOKEN_CHARACTERS || !isMacaroonShaped(credential, prefix)) return INVALID_FORMAT;
  const bytes = decodeBase64Url(credential.slice(prefix.length + VERSION_MARK.length));
  const macaroon = bytes && decodeMacaroon(bytes);
  if (macaroon === undefined || macaroon.caveats.length > MAX_CAVEATS) return INVALID_FORMAT;

  const claims = claimsFromJson(parseJson(decodeUtf8(macaroon.identifier)));
  return claims ? { macaroon, claims, caveats: macaroon.caveats.map(parseCaveat) } : INVALID_FORMAT;
}
