import { ServiceError } from "../errors.js";
import type { KeyChange, KeyId, KeyKind, KeyRecord } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import {
  findAttributeViolations,
  type KeyAttributes,
  rateLimitPolicyFromInput,
  refuseViolations,
} from "./key-attributes.js";
import { keyStatus } from "./key-status.js";
import { concurrentChange, loadKey, refuseUnknownKey } from "./load-key.js";

export interface UpdateKeyInput extends KeyId {
  readonly kind: KeyKind;
  /** The attributes to set; one that is present but `undefined` is cleared. */
  readonly attributes: Partial<KeyAttributes>;
  /** Where the attributes stand in the request, such as `issued_api_key.`; for error messages. */
  readonly path: string;
}

/**
 * Changes a key's attributes. Throws INVALID_ARGUMENT, API_KEY_NOT_FOUND, KEY_NOT_ACTIVE for a revoked key (it is
 * frozen), CONCURRENT_CHANGE, UNAVAILABLE.
 */
export async function updateKey(context: DomainContext, input: UpdateKeyInput): Promise<KeyRecord> {
  refuseViolations(findAttributeViolations(input.attributes, input.path));
  const record = await loadKey(context.store, input);
  if (record.kind !== input.kind) refuseUnknownKey();
  const now = context.clock();
  if (keyStatus(record, now) === "revoked") {
    throw new ServiceError("KEY_NOT_ACTIVE", "the key is revoked, and revoked keys do not change");
  }

  if (Object.keys(input.attributes).length === 0) return record;
  const change = { ...changeFromAttributes(input.attributes), updateTime: now };
  const changed = await context.store.compareAndSet(record, record.version, change);
  if (changed === undefined) throw concurrentChange();
  return changed;
}

function changeFromAttributes(attributes: Partial<KeyAttributes>): KeyChange {
  const { name, scopes, rateLimitPolicy } = attributes;
  return {
    ...(name !== undefined && { name }),
    ...("scopes" in attributes && { scopes: scopes ?? [] }),
    ...("metadata" in attributes && { metadata: attributes.metadata ?? null }),
    ...("rateLimitPolicy" in attributes && {
      rateLimitPolicy: rateLimitPolicy === undefined ? null : rateLimitPolicyFromInput(rateLimitPolicy),
    }),
    ...("allowedCidrs" in attributes && { allowedCidrs: attributes.allowedCidrs ?? null }),
  };
}
