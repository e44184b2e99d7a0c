import { hkdfSync, type KeyObject } from "node:crypto";

/** What a derived key is for. A key for one purpose says nothing about the keys for the others. */
export type KeyPurpose =
  | "latchkey/page-token/v1"
  | "latchkey/macaroon/v1"
  | "latchkey/idempotency/v1"
  | "latchkey/requests/v1";

export interface DerivedKeys {
  /** 32 bytes from the current secret: what is made, is made with it. */
  readonly current: Uint8Array;
  /** Every key that is accepted when reading: the current one, then those from retired secrets. */
  readonly all: readonly Uint8Array[];
}

const DERIVED_KEY_BYTES = 32;
const NO_SALT = new Uint8Array(0);

/** The keys that come from one secret, `secrets.hmac` or `secrets.pepper`: HKDF-SHA-256 (RFC 5869) without salt, the purpose as info. */
export class KeyRing {
  readonly #current: KeyObject;
  readonly #retired: readonly KeyObject[];
  readonly #derived = new Map<KeyPurpose, DerivedKeys>();

  constructor(current: KeyObject, retired: readonly KeyObject[]) {
    this.#current = current;
    this.#retired = retired;
  }

  /** The keys for a purpose, computed once. */
  derive(purpose: KeyPurpose): DerivedKeys {
    const known = this.#derived.get(purpose);
    if (known !== undefined) return known;
    const current = deriveKey(this.#current, purpose);
    const keys = { current, all: [current, ...this.#retired.map((secret) => deriveKey(secret, purpose))] };
    this.#derived.set(purpose, keys);
    return keys;
  }
}

function deriveKey(secret: KeyObject, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, NO_SALT, purpose, DERIVED_KEY_BYTES));
}
