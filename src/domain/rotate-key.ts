/**
 * Rotation over single-record writes (the contract of `store/key-store.ts` gives nothing more):
 *
 * 1. insert the new key, marked `pending: {predecessor, version}`: nobody sees it;
 * 2. compare-and-set the old key at that version to revoked, now or when the grace period ends, and
 *    `successor: <new key>`: the commit point;
 * 3. clear the mark.
 *
 * A crash after 1 leaves a pending key that the sweeper removes; after 2, a key that whoever reads it first completes
 * (`load-key.ts`). It is safe under these rules, and unsafe without any one of them (`test/domain/interleavings/` searches
 * every schedule, with and without each):
 *
 * - every write to an existing record is a compare-and-set of named fields on its version;
 * - reads that a write or a commit decision rests on come from the store, never from a cache;
 * - only an acknowledged "no match" is an outcome; anything else is unknown, and is read again;
 * - no later write changes `successor`;
 * - each attempt has a key id of its own, but for repetitions of one request at the same version, whose commits are one;
 * - a pending key is committed exactly when its predecessor, read after it, names it, whatever the predecessor's status;
 * - a pending key is removed only when its predecessor is past the version that the rotation read. Age alone removes
 *   nothing (`sweep.ts`).
 */
import { ServiceError } from "../errors.js";
import type { KeyId, KeyRecord, Visibility } from "../store/key-store.js";
import type { DomainContext, KeySettings } from "./context.js";
import { identifyRequest, isMadeBy, type RepeatableRequest, type RequestIdentity } from "./idempotency.js";
import { createIssuedKey, type IssuedKeyWithSecret, repeatIssued } from "./issue-key.js";
import {
  findAttributeViolations,
  findVisibilityViolations,
  type KeyAttributes,
  refuseViolations,
} from "./key-attributes.js";
import { keyStatus, listedStatus } from "./key-status.js";
import { concurrentChange, findKey, loadKey, refuseUnknownKey, settlePending } from "./load-key.js";

const MS_PER_DAY = 86_400_000;
const MAX_GRACE_DAYS = 30;
/** How often a commit of unknown outcome is tried again while the old key is still as it was read. */
const MAX_COMMIT_ATTEMPTS = 3;

export interface RotateKeyInput extends KeyId, RequestIdentity {
  /** What the new key does not inherit; a property that is present but `undefined` is left empty. */
  readonly overrides: Partial<KeyAttributes> & { readonly visibility?: Visibility };
  /** How long the old key stays active; 0: not at all. */
  readonly gracePeriodMs: number;
}

export interface RotatedKey {
  readonly record: KeyRecord;
  /** The new credential. `undefined`: a repetition that came too late for it. */
  readonly secret: string | undefined;
  /** The old key as it is after the rotation. */
  readonly old: KeyRecord;
}

/**
 * Replaces an issued key by a new one with the old one's length of life, from now; once for each request_id. Throws
 * INVALID_ARGUMENT, API_KEY_NOT_FOUND, KEY_NOT_ACTIVE (revoked, expired, or rotated before), CONCURRENT_CHANGE, UNAVAILABLE.
 */
export async function rotateKey(context: DomainContext, input: RotateKeyInput): Promise<RotatedKey> {
  refuseRotateViolations(input, context.keys);
  const predecessor = await loadKey(context.store, input);
  if (predecessor.kind !== "issued") refuseUnknownKey();
  const request = identifyRequest(context, input, {
    operation: "rotate",
    subject: predecessor.keyId,
    attempt: predecessor.version,
    request: [input.overrides, input.gracePeriodMs],
  });
  const repeated = request && (await findRepeated(context, predecessor, request));
  if (repeated !== undefined) return repeated;
  const now = context.clock();
  refuseUnlessRotatable(predecessor, now);

  const { record, secret } = await insertSuccessor(context, predecessor, input, now, request);
  const old = await commitRotation(context, predecessor, record, endOfGrace(predecessor, input.gracePeriodMs, now));
  return { record: (await settlePending(context.store, record)) ?? record, secret, old };
}

/** The answer to the same request, when it committed. */
async function findRepeated(
  context: DomainContext,
  predecessor: KeyRecord,
  request: RepeatableRequest,
): Promise<RotatedKey | undefined> {
  const { tenantId, successor } = predecessor;
  if (successor === undefined) return undefined;
  const record = await findKey(context.store, { tenantId, keyId: successor });
  if (record === undefined || !isMadeBy(record, request)) return undefined;
  return { ...repeatIssued(context, request, record), old: predecessor };
}

/**
 * The new key, pending. A repetition finds the one that an earlier attempt at the same version left or is about to commit, and
 * goes on with it: both commits say the same. Without its secret nobody could use it, so then it is left to the sweeper.
 */
async function insertSuccessor(
  context: DomainContext,
  predecessor: KeyRecord,
  input: RotateKeyInput,
  now: Date,
  request: RepeatableRequest | undefined,
): Promise<IssuedKeyWithSecret> {
  const next = createSuccessor(context, predecessor, input, now, request);
  const result = await context.store.insert(next.record);
  if (result.outcome === "inserted") return { record: result.record, secret: next.secret };
  const earlier = await context.store.read(next.record);
  if (earlier === undefined) throw concurrentChange();
  const repeated = repeatIssued(context, request, earlier);
  if (repeated.secret === undefined) throw concurrentChange();
  return repeated;
}

function createSuccessor(
  context: DomainContext,
  predecessor: KeyRecord,
  input: RotateKeyInput,
  now: Date,
  request: RepeatableRequest | undefined,
) {
  const { expireTime, createTime } = predecessor;
  const inherited = {
    name: predecessor.name,
    scopes: predecessor.scopes,
    metadata: predecessor.metadata,
    rateLimitPolicy: predecessor.rateLimitPolicy,
    allowedCidrs: predecessor.allowedCidrs,
    visibility: predecessor.visibility,
  };
  const attributes = { ...inherited, ...input.overrides };
  refuseViolations(findVisibilityViolations(attributes.visibility, context.keys));
  return createIssuedKey(context, {
    ...attributes,
    tenantId: predecessor.tenantId,
    actorId: predecessor.actorId,
    createTime: now,
    ...(expireTime && { expireTime: new Date(now.getTime() + (expireTime.getTime() - createTime.getTime())) }),
    pending: { predecessor: predecessor.keyId, version: predecessor.version },
    request,
  });
}

/**
 * The commit. Only an acknowledged answer counts: after anything else the old key is read again, and tells. It names
 * the new key: committed. It is still at the version that was read: the write did not happen yet, and trying again is
 * safe, for both writes say the same. It is past that version: lost for good, because no write at the old version can
 * match any more; only then is the new key deleted.
 */
async function commitRotation(
  context: DomainContext,
  predecessor: KeyRecord,
  successor: KeyRecord,
  graceEnd: Date | undefined,
): Promise<KeyRecord> {
  const { store } = context;
  const revocation = { reason: "superseded" as const, ...(graceEnd && { graceEnd }) };
  const updateTime = successor.createTime;
  const listed = listedStatus({ revocation }, updateTime);
  const change = { successor: successor.keyId, revocation, listed, updateTime };
  for (let attempt = 1; ; attempt++) {
    let failure: unknown;
    try {
      const committed = await store.compareAndSet(predecessor, predecessor.version, change);
      if (committed !== undefined) return committed;
    } catch (error) {
      failure = error;
    }
    const actual = await store.read(predecessor);
    if (actual?.successor === successor.keyId) return actual;
    if (actual?.version !== predecessor.version) {
      await store.delete(successor, successor.version);
      if (actual !== undefined) refuseUnlessRotatable(actual, context.clock());
      throw concurrentChange();
    }
    if (attempt === MAX_COMMIT_ATTEMPTS) throw failure ?? concurrentChange();
  }
}

function refuseUnlessRotatable(record: KeyRecord, now: Date): void {
  const status = keyStatus(record, now);
  if (status !== "active") throw new ServiceError("KEY_NOT_ACTIVE", `the key is ${status}, and cannot be rotated`);
  if (record.successor !== undefined) {
    throw new ServiceError("KEY_NOT_ACTIVE", "the key was rotated before; rotate its successor", {
      metadata: { successor: record.successor },
    });
  }
}

/** When the old key stops: after the grace period, but never past its own expiry. `undefined`: at once. */
function endOfGrace(record: KeyRecord, gracePeriodMs: number, now: Date): Date | undefined {
  if (gracePeriodMs === 0) return undefined;
  const end = now.getTime() + gracePeriodMs;
  return new Date(Math.min(end, record.expireTime?.getTime() ?? end));
}

function refuseRotateViolations(input: RotateKeyInput, keys: KeySettings): void {
  const violations = findAttributeViolations(input.overrides);
  if (input.overrides.visibility !== undefined) {
    violations.push(...findVisibilityViolations(input.overrides.visibility, keys));
  }
  if (input.gracePeriodMs < 0 || input.gracePeriodMs > MAX_GRACE_DAYS * MS_PER_DAY) {
    violations.push({ field: "grace_period", description: `must be 0s to ${MAX_GRACE_DAYS} days` });
  }
  refuseViolations(violations);
}
