import { pepperCheckValue } from "../credentials/imported-key.js";
import { ServiceError } from "../errors.js";
import type { KeyStore } from "../store/key-store.js";
import type { DomainSecrets } from "./context.js";

const CLAIM = "pepper";

interface PepperOfStore {
  readonly store: KeyStore;
  readonly secrets: Pick<DomainSecrets, "pepper">;
}

/**
 * Throws INTERNAL when the keys in the store were imported with another pepper: none of them would be found again. The first
 * start with a store leaves a check value of its pepper there.
 */
export async function checkPepper({ store, secrets }: PepperOfStore): Promise<void> {
  const expected = pepperCheckValue(secrets.pepper);
  if (Buffer.compare(await store.claim(CLAIM, expected), expected) === 0) return;
  throw new ServiceError(
    "INTERNAL",
    "secrets.pepper is not the one that this store was first used with; restore it, for imported keys cannot be found with another",
  );
}
