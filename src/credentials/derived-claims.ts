/** What a derived token says, JWT and macaroon alike, and its JSON form (DESIGN.md section 4). */
import { isJsonObject, isTextList, type JsonObject, type JsonValue } from "./json.js";
import { parseKeyId } from "./key-id.js";
import { parseUuid } from "./uuid.js";

/** The longest credential that a request may carry. What is made longer cannot be used: whoever makes a token checks. */
export const MAX_TOKEN_CHARACTERS = 16_384;

/** The end of the year 9999, as in `google.protobuf.Timestamp`. */
const MAX_UNIX_SECONDS = 253_402_300_799;
const MS_PER_SECOND = 1000;

export interface DerivedClaims {
  readonly issuer: string;
  /** Key id of the key at the root: UUID text, or 64 hexadecimal characters of an imported key. */
  readonly rootKeyId: string;
  readonly tokenId: string;
  /** UUID text. */
  readonly tenantId: string;
  readonly actorId: string;
  readonly scopes: readonly string[];
  /**
   * Absent: no restriction. Empty: no address at all, unlike the empty list of a key. Networks in CIDR notation, not
   * checked here; a malformed one holds no address.
   */
  readonly allowedCidrs?: readonly string[];
  readonly audience?: string;
  /** Whole seconds. The token is valid from then on: `iat` and `nbf` are the same. */
  readonly issueTime: Date;
  /** Whole seconds. */
  readonly expireTime: Date;
  /** None of them has a name of `RESERVED_CLAIMS`. */
  readonly custom: JsonObject;
}

/**
 * Names that custom claims may not have: those that are written here, those that verifiers of other makes take for a
 * permission, a client or a key (RFC 8693, RFC 9068, RFC 7800, OpenID Connect), and those that are no plain members of an
 * object in JavaScript.
 */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "scp", "nid", "acl"],
  ...["scope", "scopes", "client_id", "azp", "may_act", "cnf"],
  ...["__proto__", "constructor", "prototype"],
]);

/** The names of custom claims that are reserved, in their order. */
export function findReservedClaims(custom: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(custom).filter((name) => RESERVED_CLAIMS.has(name));
}

/**
 * The claims as a JWT Claims Set (RFC 7519). A list of networks is written also when it is empty: without it there would
 * be no restriction. Parts of seconds are dropped.
 * @throws Error when a custom claim has a reserved name; callers ask `findReservedClaims` first
 */
export function claimsToJson(claims: DerivedClaims): JsonObject {
  const reserved = findReservedClaims(claims.custom);
  if (reserved.length > 0) throw new Error(`custom claims have reserved names: ${reserved.join(", ")}`);
  const issuedAt = unixSeconds(claims.issueTime);
  return {
    iss: claims.issuer,
    ...(claims.audience !== undefined && { aud: claims.audience }),
    sub: claims.rootKeyId,
    iat: issuedAt,
    nbf: issuedAt,
    exp: unixSeconds(claims.expireTime),
    jti: claims.tokenId,
    act: claims.actorId,
    scp: claims.scopes,
    nid: claims.tenantId,
    ...(claims.allowedCidrs && { acl: claims.allowedCidrs }),
    ...claims.custom,
  };
}

/** Reads what `claimsToJson` writes, and nothing else: `undefined` for claims of another shape. Never throws. */
export function claimsFromJson(json: JsonValue | undefined): DerivedClaims | undefined {
  if (!isJsonObject(json)) return undefined;
  const { iss, aud, sub, iat, nbf, exp, jti, act, scp, nid, acl, ...custom } = json;
  if (!isText(iss) || !isText(jti) || !isText(act) || !isKeyId(sub) || !isUuid(nid)) return undefined;
  if (!isUnixSeconds(iat) || nbf !== iat || !isUnixSeconds(exp)) return undefined;
  if (!isTextList(scp) || (acl !== undefined && !isTextList(acl))) return undefined;
  if (aud !== undefined && !isText(aud)) return undefined;
  if (findReservedClaims(custom).length > 0) return undefined;
  return {
    issuer: iss,
    rootKeyId: sub,
    tokenId: jti,
    tenantId: nid,
    actorId: act,
    scopes: scp,
    ...(acl && { allowedCidrs: acl }),
    ...(aud !== undefined && { audience: aud }),
    issueTime: dateFromUnixSeconds(iat),
    expireTime: dateFromUnixSeconds(exp),
    custom,
  };
}

/** Whether a number is a time that a token may name: whole seconds of Unix time, from 1970 to the year 9999. */
export function isUnixSeconds(json: JsonValue | undefined): json is number {
  return typeof json === "number" && Number.isInteger(json) && json >= 0 && json <= MAX_UNIX_SECONDS;
}

export function dateFromUnixSeconds(seconds: number): Date {
  return new Date(seconds * MS_PER_SECOND);
}

function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / MS_PER_SECOND);
}

function isText(json: JsonValue | undefined): json is string {
  return typeof json === "string" && json !== "";
}

function isKeyId(json: JsonValue | undefined): json is string {
  return typeof json === "string" && parseKeyId(json) === json;
}

/** Lower case only: the text is the name that the record has in the store. */
function isUuid(json: JsonValue | undefined): json is string {
  return typeof json === "string" && parseUuid(json) === json;
}
