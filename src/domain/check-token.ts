/**
 * Derived tokens. A signature is checked once, and remembered (`checked-tokens.ts`); what a token is worth is asked every time:
 * the clock, the client's address, and the record of the key at its root.
 */
import type { DerivedClaims } from "../credentials/derived-claims.js";
import { verifyJwt } from "../credentials/jwt.js";
import { verifySignature } from "../credentials/macaroon.js";
import { macaroonRootKey, type ParsedMacaroonToken, parseMacaroonToken } from "../credentials/macaroon-token.js";
import { narrow } from "../credentials/narrow.js";
import { isTokenIdOf } from "../credentials/token-id.js";
import type { KeyRecord } from "../store/key-store.js";
import type { CheckedToken } from "./checked-tokens.js";
import type { DomainContext } from "./context.js";
import type { Candidate } from "./identify.js";
import { intersectCidrs } from "./intersect-cidrs.js";
import { isAddressAllowed } from "./ip-allowlist.js";
import { keyStatus } from "./key-status.js";
import type { Refusal, Verification, VerificationFailure } from "./verification.js";

const MS_PER_SECOND = 1_000;
const MAX_REMEMBERED_CHARACTERS = 4_096;
/** Tokens are valid from the second of their making; the clock of the host that made one may be this far ahead. */
const MAX_CLOCK_SKEW_MS = 5_000;
/** For macaroons whose key is not there: their signature is computed all the same, so that the time tells nothing. */
const NO_DERIVE_SEED = new Uint8Array(32);

const SIGNATURE_INVALID: Refusal = { valid: false, failure: "signature_invalid" };

/** A token whose signature holds. `keyId` is absent where the key need not be asked. */
export interface TokenCandidate {
  readonly kind: "token";
  readonly keyId: string | undefined;
  readonly claims: DerivedClaims;
}

type ParsedMacaroon = Exclude<ParsedMacaroonToken, { error: string }>;

/** A macaroon. Whether its signature holds takes the record that it names. */
export interface MacaroonCandidate {
  readonly kind: "macaroon";
  readonly keyId: string;
  readonly token: string;
  /** What stands for it in memory. */
  readonly digest: string;
  /** What it was found to say before. */
  readonly known: CheckedToken | undefined;
  /** What it says of itself; absent when it is known. */
  readonly parsed: ParsedMacaroon | undefined;
}

/** What a token is judged by besides its key. */
export interface TokenUse {
  readonly tenantId: string;
  readonly clientAddress: string | undefined;
}

/** Checks a JWT: form, algorithm, signature, issuer and audience. */
export function checkJwt(context: DomainContext, token: string, digest: string): Candidate {
  const keys = context.secrets.jwt();
  const known = context.checkedTokens.get(digest);
  if (known?.checkedWith === keys) return tokenCandidate(context, known.claims);
  const { issuer, audience } = context.tokens;
  const verified = verifyJwt(token, { issuer, audience, keyOf: (kid) => keys.find(kid) });
  if ("error" in verified) return { kind: "refused", failure: verified.error };
  remember(context, token, digest, { claims: verified.claims, checkedWith: keys });
  return tokenCandidate(context, verified.claims);
}

function tokenCandidate({ tokens }: DomainContext, claims: DerivedClaims): TokenCandidate {
  return { kind: "token", keyId: tokens.checkParent ? claims.rootKeyId : undefined, claims };
}

/** Takes a macaroon apart. Its key is asked for even where `checkParent` is off: part of the root key is in its record. */
export function readMacaroon(context: DomainContext, token: string, digest: string): Candidate {
  const known = context.checkedTokens.get(digest);
  if (known !== undefined)
    return { kind: "macaroon", keyId: known.claims.rootKeyId, token, digest, known, parsed: undefined };
  const parsed = parseMacaroonToken(token, context.tokens.macaroonPrefix);
  if ("error" in parsed) return { kind: "refused", failure: parsed.error };
  return { kind: "macaroon", keyId: parsed.claims.rootKeyId, token, digest, known, parsed };
}

/** Checks a macaroon: signature first, then issuer, audience and caveats. An unknown key is the same as a wrong signature. */
export function judgeMacaroon(
  context: DomainContext,
  candidate: MacaroonCandidate,
  record: KeyRecord | undefined,
  use: TokenUse,
): Verification {
  const claims = claimsOfMacaroon(context, candidate, record, use);
  if ("failure" in claims) return claims;
  return judgeToken(context, claims, context.tokens.checkParent ? record : undefined, use);
}

function claimsOfMacaroon(
  context: DomainContext,
  { token, digest, known, parsed: read }: MacaroonCandidate,
  record: KeyRecord | undefined,
  use: TokenUse,
): DerivedClaims | Refusal {
  const macaroonKeys = context.secrets.macaroons();
  if (
    record !== undefined &&
    known?.macaroonKeys === macaroonKeys &&
    isSameSeed(known.checkedWith, record.deriveSeed)
  ) {
    return known.claims;
  }
  const { macaroonPrefix, issuer, audience } = context.tokens;
  const parsed = read ?? parseMacaroonToken(token, macaroonPrefix);
  if ("error" in parsed) return { valid: false, failure: parsed.error };

  const { tenantId, rootKeyId } = parsed.claims;
  const seed = record?.deriveSeed ?? NO_DERIVE_SEED;
  const isSigned = macaroonKeys.all.some((key) =>
    verifySignature(parsed.macaroon, macaroonRootKey(key, tenantId, rootKeyId, seed)),
  );
  if (!isSigned || record === undefined) return SIGNATURE_INVALID;
  const { location = issuer } = parsed.macaroon;
  if (parsed.claims.issuer !== issuer || parsed.claims.audience !== audience || location !== issuer) {
    return SIGNATURE_INVALID;
  }
  // What is refused whatever its caveats are need not be narrowed.
  const refusal = refuseOutright(context, parsed.claims, record, use);
  if (refusal !== undefined) return refusal;
  const claims = narrow(parsed.claims, parsed.caveats, intersectCidrs);
  if (claims === undefined) return { valid: false, failure: "permits_nothing" };
  remember(context, token, digest, { claims, checkedWith: record.deriveSeed, macaroonKeys });
  return claims;
}

/** Long tokens are rare, and nobody shall fill the memory with them. */
function remember({ checkedTokens }: DomainContext, token: string, digest: string, checked: CheckedToken): void {
  if (token.length <= MAX_REMEMBERED_CHARACTERS) checkedTokens.set(digest, checked);
}

function isSameSeed(checkedWith: object, seed: Uint8Array): boolean {
  return checkedWith === seed || (checkedWith instanceof Uint8Array && Buffer.compare(checkedWith, seed) === 0);
}

/** What a token whose signature holds is worth now. `record` is that of its key, where that is to be asked. */
export function judgeToken(
  context: DomainContext,
  claims: DerivedClaims,
  record: KeyRecord | undefined,
  use: TokenUse,
): Verification {
  const refusal = refuseOutright(context, claims, record, use);
  if (refusal !== undefined) return refusal;
  const token = record === undefined ? claims : narrowToKey(claims, record);
  if (token === undefined) return refuse("scopes_withdrawn", context, record);
  const { clientAddress } = use;
  const isAllowed = isTokenAllowed(claims, clientAddress) && isAddressAllowed(record?.allowedCidrs, clientAddress);
  if (!isAllowed) return refuse("ip_not_allowed", context, record);
  return record === undefined ? { valid: true, token } : { valid: true, record, token };
}

/** What makes a token worth nothing, whatever it permits and wherever it comes from. */
function refuseOutright(
  context: DomainContext,
  claims: DerivedClaims,
  record: KeyRecord | undefined,
  { tenantId }: TokenUse,
): Refusal | undefined {
  const now = context.clock();
  if (claims.tenantId !== tenantId) return { valid: false, failure: "not_found" };
  if (context.tokens.checkParent) {
    if (record === undefined || !isMadeFrom(record, claims)) return { valid: false, failure: "not_found" };
    const status = keyStatus(record, now);
    if (status !== "active") return refuse(status, context, record);
  }
  if (claims.expireTime <= now) return refuse("expired", context, record);
  if (claims.issueTime.getTime() > now.getTime() + MAX_CLOCK_SKEW_MS) return refuse("not_yet_valid", context, record);
  return undefined;
}

function refuse(failure: VerificationFailure, { clock }: DomainContext, record: KeyRecord | undefined): Refusal {
  return { valid: false, failure, ...(record && { key: { record, status: keyStatus(record, clock()) } }) };
}

/** Not so after an imported key was deleted and imported again: it has its id, but nothing else of it. */
function isMadeFrom({ createTime, deriveSeed }: KeyRecord, claims: DerivedClaims): boolean {
  return isTiedTo(claims, deriveSeed) && claims.issueTime.getTime() > createTime.getTime() - MS_PER_SECOND;
}

/** The seeds that claims were found to belong to: neither changes. */
const tiedTo = new WeakMap<DerivedClaims, Uint8Array>();

function isTiedTo(claims: DerivedClaims, deriveSeed: Uint8Array): boolean {
  if (tiedTo.get(claims) === deriveSeed) return true;
  const isTied = isTokenIdOf(claims.tokenId, deriveSeed);
  if (isTied) tiedTo.set(claims, deriveSeed);
  return isTied;
}

/** The claims with the scopes that the key still has; `undefined`: it had some, and has lost them all. */
function narrowToKey(claims: DerivedClaims, { scopes }: KeyRecord): DerivedClaims | undefined {
  const kept = claims.scopes.filter((scope) => scopes.includes(scope));
  if (kept.length === claims.scopes.length) return claims;
  return kept.length === 0 ? undefined : { ...claims, scopes: kept };
}

/** As for a key, but a list without networks allows no address. */
function isTokenAllowed({ allowedCidrs }: DerivedClaims, clientAddress: string | undefined): boolean {
  return allowedCidrs === undefined || (allowedCidrs.length > 0 && isAddressAllowed(allowedCidrs, clientAddress));
}
