/**
 * Repeated requests (AIP-155). The id of a key that is issued or rotated with a request_id is made from it, so that the
 * store's own rule, one record for an id, keeps a repetition from making another key. What was asked for the first time
 * is kept as a keyed hash; the secret, for a while, sealed.
 */
import {
  canonicalJson,
  createUuidV8,
  hashParts,
  openSecret,
  SEAL_NONCE_BYTES,
  sealSecret,
} from "../credentials/idempotency.js";
import { invalidArgument } from "../errors.js";
import type { Idempotency, KeyRecord, SealedSecret } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { isLongerThan } from "./key-attributes.js";

const MAX_REQUEST_ID_CHARACTERS = 36;
/** How long a retry gets the secret again. */
const SECRET_AGE_MS = 600_000;

/** Who repeats what. */
export interface RequestIdentity {
  readonly tenantId: string;
  /** Name of the caller; two callers may choose the same request_id. */
  readonly caller: string;
  /** Empty: the request is made once. */
  readonly requestId: string;
}

/** A request that may come again. */
export interface RepeatableRequest {
  readonly requestId: string;
  /** What the record keeps of it. */
  readonly idempotency: Idempotency;
  /** The id of the key that the request makes. */
  readonly keyId: string;
}

/**
 * `undefined` for a request without a request_id. `subject`: what the request is about, besides its caller, so that the same
 * request_id means another request for another one; `attempt` tells apart the keys of several attempts at one request.
 * `request` is what a repetition must say again. Throws INVALID_ARGUMENT.
 */
export function identifyRequest(
  context: DomainContext,
  identity: RequestIdentity,
  what: {
    readonly operation: "issue" | "import" | "rotate";
    readonly subject?: string;
    readonly attempt?: number;
    readonly request: unknown;
  },
): RepeatableRequest | undefined {
  const { tenantId, caller, requestId } = identity;
  if (requestId === "") return undefined;
  if (isLongerThan(requestId, MAX_REQUEST_ID_CHARACTERS)) {
    throw invalidArgument("request_id", `must be at most ${MAX_REQUEST_ID_CHARACTERS} characters`);
  }
  const key = context.secrets.requests;
  const parts = [tenantId, caller, what.operation, what.subject ?? "", requestId];
  return {
    requestId,
    idempotency: {
      requestIdHash: hashParts(key, ["request_id", ...parts]),
      fingerprint: hashParts(key, ["request", canonicalJson(what.request)]),
    },
    keyId: createUuidV8(hashParts(key, ["key_id", ...parts, String(what.attempt ?? 0)])),
  };
}

/** Whether a record was made by this request or a repetition of it; the request may still ask for something else. */
export function isMadeBy({ idempotency }: KeyRecord, request: RepeatableRequest): boolean {
  return isSame(idempotency?.requestIdHash, request.idempotency.requestIdHash);
}

/** Throws INVALID_ARGUMENT when a record was made by another request than this one. */
export function refuseUnlessRepeated(record: KeyRecord, request: RepeatableRequest): void {
  const isRepeated = isSame(record.idempotency?.fingerprint, request.idempotency.fingerprint);
  if (!isMadeBy(record, request) || !isRepeated) {
    throw invalidArgument("request_id", "was used before, for another request");
  }
}

/** The secret of a new key, for retries. */
export function sealForRetries(
  { secrets, randomBytes }: DomainContext,
  request: RepeatableRequest,
  keyId: string,
  secret: string,
  now: Date,
): SealedSecret {
  return {
    box: sealSecret(secrets.sealing().current, request.requestId, keyId, secret, randomBytes(SEAL_NONCE_BYTES)),
    expireTime: new Date(now.getTime() + SECRET_AGE_MS),
  };
}

/** The secret once more; `undefined` when it is too late for it. */
export function openForRetry(
  { secrets, clock }: DomainContext,
  request: RepeatableRequest,
  { keyId, sealedSecret }: KeyRecord,
): string | undefined {
  if (sealedSecret === undefined || sealedSecret.expireTime <= clock()) return undefined;
  return openSecret(secrets.sealing().all, request.requestId, keyId, sealedSecret.box);
}

/** Of keyed hashes, which say nothing to somebody who does not have the key. */
function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
