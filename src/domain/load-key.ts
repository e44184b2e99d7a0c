import { ServiceError } from "../errors.js";
import type { Freshness, KeyId, KeyRecord, KeyStore } from "../store/key-store.js";

/**
 * Reads a key as every operation must see it. The new key of a rotation is there exactly when the rotation committed:
 * its predecessor, read after it, names it as successor. Until then it is `undefined`, as a key that does not exist.
 */
export async function findKey(store: KeyStore, id: KeyId): Promise<KeyRecord | undefined> {
  const record = await store.read(id);
  return record?.pending === undefined ? record : settlePending(store, record);
}

/** As `findKey`, for verifications and nothing else: the key may be as it was a little before. */
export async function findKeyForVerification(
  store: KeyStore,
  id: KeyId,
  freshness: Freshness,
): Promise<KeyRecord | undefined> {
  const record = await store.readForVerification(id, freshness);
  return record?.pending === undefined ? record : settlePending(store, record);
}

/** As `findKey`, for operations that cannot go on without the key. */
export async function loadKey(store: KeyStore, id: KeyId): Promise<KeyRecord> {
  return (await findKey(store, id)) ?? refuseUnknownKey();
}

export function refuseUnknownKey(): never {
  throw new ServiceError("API_KEY_NOT_FOUND", "API key not found");
}

/** A write lost against another one: nothing was changed, and the caller may try again on what is there now. */
export function concurrentChange(): ServiceError {
  return new ServiceError("CONCURRENT_CHANGE", "the key was changed by another request at the same time; try again");
}

/**
 * The record without its mark if its rotation committed, else `undefined`. Whoever sees that it committed clears the mark;
 * where that cannot be written the key is just as good, and the next one to see it will.
 */
export async function settlePending(store: KeyStore, record: KeyRecord): Promise<KeyRecord | undefined> {
  if (record.pending === undefined) return record;
  const predecessor = await store.read({ tenantId: record.tenantId, keyId: record.pending.predecessor });
  if (predecessor?.successor !== record.keyId) return undefined;
  try {
    // No match: somebody else cleared the mark first, and may have changed the key since.
    return (await store.compareAndSet(record, record.version, { pending: null })) ?? (await store.read(record));
  } catch (error) {
    if (!(error instanceof ServiceError) || error.reason !== "UNAVAILABLE") throw error;
    const { pending: _, ...settled } = record;
    return settled;
  }
}
