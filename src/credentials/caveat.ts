/**
 * The caveats that a holder may add to a derived macaroon. Each narrows what the token may do:
 *
 *     caveat  = "exp <= " seconds           ; of Unix time: whole, without sign and leading zeros
 *             | "scp subset " list          ; only these scopes
 *             | "acl subset " list          ; only from these networks, in CIDR notation
 *     list    = JSON array of at most 128 strings
 */
import { dateFromUnixSeconds, isUnixSeconds } from "./derived-claims.js";
import { decodeUtf8, isTextList, parseJson } from "./json.js";

export type Caveat =
  | { readonly kind: "exp"; readonly expireTime: Date }
  | { readonly kind: "scp"; readonly scopes: readonly string[] }
  | { readonly kind: "acl"; readonly cidrs: readonly string[] }
  /** Anything else. What is not understood cannot be kept: a token that has such a caveat permits nothing. */
  | { readonly kind: "unknown" };

const EXPIRY = /^exp <= (0|[1-9][0-9]{0,11})$/;
const SUBSET = /^(scp|acl) subset (\[.*\])$/s;
/** As many scopes and networks as a key may have. */
const MAX_ITEMS = 128;
const UNKNOWN: Caveat = { kind: "unknown" };

/** Reads one caveat. Never throws. */
export function parseCaveat(bytes: Uint8Array): Caveat {
  const text = decodeUtf8(bytes);
  if (text === undefined) return UNKNOWN;

  const [, seconds] = EXPIRY.exec(text) ?? [];
  if (seconds !== undefined) return parseExpiry(Number(seconds));
  const [, claim, list] = SUBSET.exec(text) ?? [];
  return list === undefined ? UNKNOWN : parseSubset(claim === "scp", list);
}

function parseExpiry(seconds: number): Caveat {
  return isUnixSeconds(seconds) ? { kind: "exp", expireTime: dateFromUnixSeconds(seconds) } : UNKNOWN;
}

function parseSubset(isScopes: boolean, list: string): Caveat {
  const items = parseJson(list);
  if (!isTextList(items) || items.length > MAX_ITEMS) return UNKNOWN;
  return isScopes ? { kind: "scp", scopes: items } : { kind: "acl", cidrs: items };
}
