import type { KeyId, KeyKind, KeyRecord } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { loadKey, refuseUnknownKey } from "./load-key.js";

/** Reads a key of one kind. Throws API_KEY_NOT_FOUND, UNAVAILABLE. */
export async function getKey(context: DomainContext, id: KeyId, kind: KeyKind): Promise<KeyRecord> {
  const record = await loadKey(context.store, id);
  return record.kind === kind ? record : refuseUnknownKey();
}
