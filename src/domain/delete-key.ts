import type { KeyId } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { concurrentChange, loadKey, refuseUnknownKey } from "./load-key.js";

/** A delete must not lose to an update, so it starts over when it meets one; so often, then the caller may. */
const MAX_ATTEMPTS = 10;

/**
 * Deletes an imported key: it is unknown from then on, and may be imported again. Throws API_KEY_NOT_FOUND,
 * CONCURRENT_CHANGE, UNAVAILABLE.
 */
export async function deleteImportedKey(context: DomainContext, id: KeyId): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const record = await loadKey(context.store, id);
    if (record.kind !== "imported") refuseUnknownKey();
    if (await context.store.delete(record, record.version)) return;
  }
  throw concurrentChange();
}
