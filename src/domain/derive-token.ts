import {
  claimsToJson,
  type DerivedClaims,
  findReservedClaims,
  MAX_TOKEN_CHARACTERS,
} from "../credentials/derived-claims.js";
import { canonicalJson } from "../credentials/idempotency.js";
import { signJwt } from "../credentials/jwt.js";
import { createClaimsMacaroon, formatMacaroonToken, macaroonRootKey } from "../credentials/macaroon-token.js";
import { createTokenId } from "../credentials/token-id.js";
import { UUID_BYTES } from "../credentials/uuid.js";
import { type FieldViolation, invalidArgument, type Reason, ServiceError } from "../errors.js";
import type { JsonObject, KeyRecord } from "../store/key-store.js";
import { judgeToken } from "./check-token.js";
import type { DomainContext, TokenSettings } from "./context.js";
import { intersectCidrs } from "./intersect-cidrs.js";
import { findJsonViolations, findScopeViolations, refuseViolations } from "./key-attributes.js";
import { findKey } from "./load-key.js";
import type { Acceptance, VerificationFailure } from "./verification.js";
import { verifyKey } from "./verify-key.js";

const MS_PER_SECOND = 1_000;
const MIN_TTL_MS = 1_000;

export interface DeriveTokenInput {
  readonly tenantId: string;
  readonly credential: string;
  readonly clientAddress: string | undefined;
  readonly algorithm: "jwt" | "macaroon";
  /** Absent or 0: the configured default, or what is left of the parent's life when that is less. */
  readonly ttlMs?: number | undefined;
  /** Empty: those of the parent. */
  readonly scopes: readonly string[];
  readonly customClaims?: JsonObject | undefined;
}

export interface DerivedToken {
  readonly token: string;
  readonly claims: DerivedClaims;
  /** As the token carries them. */
  readonly claimsJson: JsonObject;
}

/** What a parent that does not verify is refused with. */
const REFUSALS: Readonly<Record<VerificationFailure, { reason: Reason; message: string }>> = {
  invalid_format: { reason: "PARENT_KEY_INVALID", message: "the credential is not valid" },
  not_found: { reason: "PARENT_KEY_INVALID", message: "the credential is not valid" },
  permits_nothing: { reason: "PARENT_KEY_INVALID", message: "the caveats of the credential permit nothing" },
  revoked: { reason: "PARENT_KEY_INVALID", message: "the key is revoked" },
  scopes_withdrawn: { reason: "PARENT_KEY_INVALID", message: "the key has lost every scope of the credential" },
  expired: { reason: "PARENT_KEY_INVALID", message: "the credential is expired" },
  not_yet_valid: { reason: "PARENT_KEY_INVALID", message: "the credential is not valid yet" },
  signature_invalid: { reason: "SIGNATURE_INVALID", message: "the signature of the credential is not valid" },
  ip_not_allowed: { reason: "IP_NOT_ALLOWED", message: "the key may not be used from the client's address" },
};

/**
 * Makes a token from a key, or a narrower one from a token. Throws CREDENTIAL_REQUIRED, INVALID_ARGUMENT,
 * PARENT_KEY_INVALID, SIGNATURE_INVALID, IP_NOT_ALLOWED, SCOPE_NOT_ALLOWED, UNAVAILABLE.
 */
export async function deriveToken(context: DomainContext, input: DeriveTokenInput): Promise<DerivedToken> {
  refuseViolations(findDeriveViolations(input, context.tokens));
  // A token outlives what is remembered of its key, so that is not asked.
  const verification = await verifyKey(context, input, "fresh");
  if (!verification.valid) throw refusal(verification.failure);
  const { record: root, token: parent } = await withRoot(context, input, verification);
  const claims = createClaims(context, input, root, parent);
  const token = await createToken(context, input.algorithm, claims, root);
  if (token.length > MAX_TOKEN_CHARACTERS) {
    throw invalidArgument("scopes", `make a token of more than ${MAX_TOKEN_CHARACTERS} characters, with the claims`);
  }
  return { token, claims, claimsJson: claimsToJson(claims) as JsonObject };
}

interface Parent {
  /** The key at the root. */
  readonly record: KeyRecord;
  readonly token?: DerivedClaims;
}

/** A token that verified without its key makes others only as one that is checked with it. */
async function withRoot(context: DomainContext, input: DeriveTokenInput, parent: Acceptance): Promise<Parent> {
  if (parent.record !== undefined) return parent;
  const { token } = parent;
  const root = await findKey(context.store, { tenantId: input.tenantId, keyId: token.rootKeyId });
  const checked = { ...context, tokens: { ...context.tokens, checkParent: true } };
  const verification = judgeToken(checked, token, root, input);
  if (!verification.valid) throw refusal(verification.failure);
  return withRoot(context, input, verification);
}

function refusal(failure: VerificationFailure): ServiceError {
  const { reason, message } = REFUSALS[failure];
  return new ServiceError(reason, message);
}

function createClaims(
  context: DomainContext,
  input: DeriveTokenInput,
  root: KeyRecord,
  parent: DerivedClaims | undefined,
): DerivedClaims {
  const { tokens, randomBytes } = context;
  const now = context.clock();
  // Not before its key and its parent, whose hosts' clocks may be ahead.
  const madeMs = Math.max(now.getTime(), root.createTime.getTime(), parent?.issueTime.getTime() ?? 0);
  const issueTime = floorToSecond(new Date(madeMs));
  const allowedCidrs = commonCidrs(root, parent);
  return {
    issuer: tokens.issuer,
    ...(tokens.audience !== undefined && { audience: tokens.audience }),
    rootKeyId: root.keyId,
    tokenId: createTokenId(madeMs, randomBytes(UUID_BYTES), root.deriveSeed),
    tenantId: root.tenantId,
    actorId: root.actorId,
    scopes: chooseScopes(input.scopes, parent?.scopes ?? root.scopes),
    ...(allowedCidrs && { allowedCidrs }),
    issueTime,
    expireTime: chooseExpiry(input.ttlMs, tokens, issueTime, now, endOfParent(root, parent)),
    custom: mergeClaims(parent?.custom ?? {}, input.customClaims ?? {}),
  };
}

async function createToken(
  { secrets, tokens }: DomainContext,
  algorithm: DeriveTokenInput["algorithm"],
  claims: DerivedClaims,
  { tenantId, keyId, deriveSeed }: KeyRecord,
): Promise<string> {
  if (algorithm === "jwt") return signJwt(claims, secrets.jwt().signing);
  const rootKey = macaroonRootKey(secrets.macaroons().current, tenantId, keyId, deriveSeed);
  return formatMacaroonToken(createClaimsMacaroon(claims, rootKey), tokens.macaroonPrefix);
}

/** Every scope that was asked for once, if the parent has it. */
function chooseScopes(asked: readonly string[], parent: readonly string[]): readonly string[] {
  if (asked.length === 0) return [...new Set(parent)];
  const held = new Set(parent);
  const missing = asked.filter((scope) => !held.has(scope));
  if (missing.length > 0) {
    throw new ServiceError("SCOPE_NOT_ALLOWED", `the credential does not have these scopes: ${missing.join(", ")}`);
  }
  return [...new Set(asked)];
}

/** The networks that both permit; `undefined`: there is no restriction. */
function commonCidrs(root: KeyRecord, parent: DerivedClaims | undefined): readonly string[] | undefined {
  const own = root.allowedCidrs?.length ? root.allowedCidrs : undefined;
  const inherited = parent?.allowedCidrs;
  return own && inherited ? intersectCidrs(own, inherited) : (own ?? inherited);
}

/** When the parent ends: by its own expiry, its root's, or the end of its root's grace period. `undefined`: never. */
function endOfParent(root: KeyRecord, parent: DerivedClaims | undefined): Date | undefined {
  const ends = [root.expireTime, root.revocation?.graceEnd, parent?.expireTime].filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : new Date(Math.min(...ends.map((end) => end.getTime())));
}

/** Whole seconds after `issueTime`, as tokens carry them; never past the parent's end. */
function chooseExpiry(
  ttlMs: number | undefined,
  { defaultTtlMs }: TokenSettings,
  issueTime: Date,
  now: Date,
  parentEnd: Date | undefined,
): Date {
  if (ttlMs && parentEnd && now.getTime() + ttlMs > parentEnd.getTime()) {
    throw invalidArgument("ttl", "must end within the life of the credential");
  }
  const lifeMs = Math.ceil((ttlMs || defaultTtlMs) / MS_PER_SECOND) * MS_PER_SECOND;
  const end = new Date(issueTime.getTime() + lifeMs);
  const expireTime = parentEnd && parentEnd < end ? floorToSecond(parentEnd) : end;
  if (expireTime <= now || expireTime <= issueTime)
    throw new ServiceError("PARENT_KEY_INVALID", "the credential expires within a second");
  return expireTime;
}

/** A token inherits the claims of its parent: they may be what somebody relies on, so they cannot be said differently. */
function mergeClaims(parent: DerivedClaims["custom"], asked: JsonObject): DerivedClaims["custom"] {
  for (const [name, value] of Object.entries(asked)) {
    if (Object.hasOwn(parent, name) && canonicalJson(parent[name]) !== canonicalJson(value)) {
      throw invalidArgument("custom_claims", `${name}: the parent token says otherwise`);
    }
  }
  const merged = { ...parent, ...asked } as JsonObject;
  refuseViolations(findJsonViolations("custom_claims", merged));
  return merged;
}

function findDeriveViolations(input: DeriveTokenInput, { maxTtlMs }: TokenSettings): FieldViolation[] {
  const { ttlMs, scopes, customClaims } = input;
  const field = "custom_claims";
  const reserved = customClaims === undefined ? [] : findReservedClaims(customClaims);
  const violations = [
    ...findScopeViolations("scopes", scopes),
    ...reserved.map((name) => ({ field, description: `${name} is a reserved name` })),
    ...(customClaims === undefined || reserved.length > 0 ? [] : findJsonViolations(field, customClaims)),
  ];
  if (ttlMs && (ttlMs < MIN_TTL_MS || ttlMs > maxTtlMs)) {
    const range = `${MIN_TTL_MS / MS_PER_SECOND}s to ${maxTtlMs / MS_PER_SECOND}s`;
    violations.push({ field: "ttl", description: `must be ${range}, or 0s for the default` });
  }
  return violations;
}

function floorToSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / MS_PER_SECOND) * MS_PER_SECOND);
}
