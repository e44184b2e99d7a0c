import { hkdfSync, type KeyObject } from "node:crypto";

/** What a derived key is for. A key for one purpose says nothing about the keys for the others. */
export type KeyPurpose =
  | "latchkey/page-token/v1"
  | "latchkey/macaroon/v1"
  | "latchkey/idempotency/v1"
  | "latchkey/requests/v1"
  | "latchkey/export/v1";

export interface DerivedKeys {
  /** 32 bytes from one secret: what is made, is made with it. */
  readonly current: Uint8Array;
  /** Every key that is accepted when reading: this one, then those from the other secrets. */
  readonly all: readonly Uint8Array[];
}

/** Secrets of which one took the place of the others, or is about to. */
export interface RotatedSecrets {
  /** The newest. */
  readonly current: KeyObject;
  /** Accepted when reading, newest first. */
  readonly retired: readonly RetiredSecret[];
}

export interface RetiredSecret {
  readonly secret: KeyObject;
  /** Milliseconds of Unix time, later for newer ones. Until then it is made with this one still. Absent: it is not. */
  readonly usedUntilMs?: number;
}

const DERIVED_KEY_BYTES = 32;
const NO_SALT = new Uint8Array(0);

/**
 * The keys that come from one secret, `secrets.hmac` or `secrets.pepper`: HKDF-SHA-256 (RFC 5869) without salt, the purpose as
 * info.
 *
 * A new secret is accepted before it is used: so processes that learn of it one after another understand each other.
 */
export class KeyRing {
  readonly #clock: () => number;
  #secrets: RotatedSecrets;
  /** What `#derived` was made with, and until when that is right. */
  #used: KeyObject;
  #usedUntilMs = Number.POSITIVE_INFINITY;
  readonly #derived = new Map<KeyPurpose, DerivedKeys>();

  /** `clock`: milliseconds of Unix time. */
  constructor(secrets: RotatedSecrets, clock: () => number = Date.now) {
    this.#clock = clock;
    this.#secrets = secrets;
    this.#used = secrets.current;
    this.replace(secrets);
  }

  /** The keys for a purpose, computed once: the same object until they change. */
  derive(purpose: KeyPurpose): DerivedKeys {
    if (this.#clock() >= this.#usedUntilMs) this.replace(this.#secrets);
    const known = this.#derived.get(purpose);
    if (known !== undefined) return known;
    const current = deriveKey(this.#used, purpose);
    const others = [this.#secrets.current, ...this.#secrets.retired.map(({ secret }) => secret)].filter(
      (secret) => !secret.equals(this.#used),
    );
    const keys = { current, all: [current, ...others.map((secret) => deriveKey(secret, purpose))] };
    this.#derived.set(purpose, keys);
    return keys;
  }

  /** Takes other secrets from now on. */
  replace(secrets: RotatedSecrets): void {
    const nowMs = this.#clock();
    const used = secrets.retired.findLast(({ usedUntilMs }) => usedUntilMs !== undefined && usedUntilMs > nowMs);
    this.#secrets = secrets;
    this.#used = used?.secret ?? secrets.current;
    this.#usedUntilMs = used?.usedUntilMs ?? Number.POSITIVE_INFINITY;
    this.#derived.clear();
  }

  /** How many secrets are accepted. */
  get size(): number {
    return 1 + this.#secrets.retired.length;
  }
}

function deriveKey(secret: KeyObject, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, NO_SALT, purpose, DERIVED_KEY_BYTES));
}
