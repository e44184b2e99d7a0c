import type { FieldViolation } from "../errors.js";
import type { KeyId, KeyKind, RevocationReason } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { isLongerThan, refuseViolations } from "./key-attributes.js";
import { keyStatus, listedStatus } from "./key-status.js";
import { concurrentChange, loadKey, refuseUnknownKey } from "./load-key.js";

const MAX_DESCRIPTION_CHARACTERS = 255;
/** A revocation must not lose to an update, so it starts over when it meets one; so often, then the caller may. */
const MAX_ATTEMPTS = 10;

export interface RevokeKeyInput extends KeyId {
  /** Only a key of this kind; absent: of either. */
  readonly kind?: KeyKind | undefined;
  readonly reason: RevocationReason;
  /** Empty: none. */
  readonly description: string;
}

/**
 * Revokes a key for good. A revoked key stays as it is; one in the grace period of a rotation is revoked now.
 * Throws INVALID_ARGUMENT, API_KEY_NOT_FOUND, CONCURRENT_CHANGE, UNAVAILABLE.
 */
export async function revokeKey(context: DomainContext, input: RevokeKeyInput): Promise<void> {
  refuseViolations(findDescriptionViolations(input));
  const { reason, description } = input;

  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const record = await loadKey(context.store, input);
    if (input.kind !== undefined && record.kind !== input.kind) refuseUnknownKey();
    const now = context.clock();
    if (keyStatus(record, now) === "revoked") return;

    const revocation = { reason, ...(description !== "" && { description }) };
    const change = { revocation, listed: listedStatus({ revocation }, now), updateTime: now };
    if (await context.store.compareAndSet(record, record.version, change)) return;
  }
  throw concurrentChange();
}

function findDescriptionViolations({ reason, description }: RevokeKeyInput): FieldViolation[] {
  const field = "description";
  if (description === "") return [];
  if (reason !== "privilege_withdrawn") {
    return [{ field, description: "is allowed only with REVOCATION_REASON_PRIVILEGE_WITHDRAWN" }];
  }
  if (isLongerThan(description, MAX_DESCRIPTION_CHARACTERS)) {
    return [{ field, description: `must be at most ${MAX_DESCRIPTION_CHARACTERS} characters` }];
  }
  return [];
}
