import type { KeyObject } from "node:crypto";
import type { ParsedSigningKey, PublicJwk, SigningKey } from "./signing-keys.js";
import { SigningKeysError } from "./signing-keys-error.js";

export type PrivateSigningKey = SigningKey & { readonly privateKey: KeyObject };

/** The keys of derived tokens at one moment. Another content is another object, so caches may be keyed on it. */
export interface SigningKeySet {
  /** What new tokens are signed with. */
  readonly signing: PrivateSigningKey;
  /** Every key whose tokens verify. */
  readonly keys: readonly SigningKey[];
  /** When another key may take over, in milliseconds of Unix time; infinity when none waits. */
  readonly untilMs: number;
  find(kid: string): SigningKey | undefined;
}

/** The keys of one JWK Set. */
export interface SigningKeyList {
  /** What errors call the set. */
  readonly place: string;
  readonly keys: readonly ParsedSigningKey[];
}

/** The setting that chooses the signing key. */
const SIGNING_KEY_ID = "tokens.signing_key_id";
const MS_PER_SECOND = 1_000;

/**
 * One set out of several. It signs with the key that `signingKeyId` names; without one, with a private key whose JWK says
 * `use: sig`, if there is one, else with a private key. Of several it is the one whose `nbf` is the latest that has come, and
 * of those without one, the first.
 * @throws SigningKeysError when two keys have one kid, or none can be signed with
 */
export function createSigningKeySet(
  lists: readonly SigningKeyList[],
  signingKeyId: string | undefined,
  nowMs: number,
): SigningKeySet {
  const byKid = new Map<string, SigningKey>();
  for (const { place, keys } of lists) {
    for (const { key } of keys) {
      if (byKid.has(key.kid)) throw new SigningKeysError(place, "has a key whose kid another key has too");
      byKid.set(key.kid, key);
    }
  }
  const signing = signingKeyId === undefined ? chosenPrivateKey(lists, nowMs) : namedPrivateKey(byKid, signingKeyId);
  const waiting = lists.flatMap(({ keys }) => keys.map(startMs)).filter((ms) => ms > nowMs);
  return { signing, keys: [...byKid.values()], untilMs: Math.min(...waiting), find: (kid) => byKid.get(kid) };
}

/** Whether two sets hold the same keys and sign with the same one. */
export function haveSameContent(a: SigningKeySet, b: SigningKeySet): boolean {
  return contentOf(a) === contentOf(b);
}

/** The JWK Set for everybody who verifies tokens (RFC 7517). */
export function publicJwks({ keys }: SigningKeySet): { readonly keys: readonly PublicJwk[] } {
  return { keys: keys.map(({ publicJwk }) => publicJwk) };
}

function chosenPrivateKey(lists: readonly SigningKeyList[], nowMs: number): PrivateSigningKey {
  const candidates = lists.flatMap(({ keys }) => keys.filter(({ key }) => isPrivate(key)));
  const usable = candidates.some(({ saysUse }) => saysUse) ? candidates.filter(({ saysUse }) => saysUse) : candidates;
  const started = usable.filter((candidate) => startMs(candidate) <= nowMs);
  const latestMs = Math.max(...started.map(startMs));
  // Where all of them wait, better the first too early than none.
  const chosen = started.find((candidate) => startMs(candidate) === latestMs) ?? usable[0];
  if (chosen === undefined || !isPrivate(chosen.key)) {
    throw new SigningKeysError(lists.map(({ place }) => place).join(", "), "no key has a private part to sign with");
  }
  return chosen.key;
}

/** In milliseconds of Unix time. */
function startMs({ notBefore = Number.NEGATIVE_INFINITY }: ParsedSigningKey): number {
  return notBefore * MS_PER_SECOND;
}

function namedPrivateKey(byKid: ReadonlyMap<string, SigningKey>, kid: string): PrivateSigningKey {
  const key = byKid.get(kid);
  if (key === undefined) throw new SigningKeysError(SIGNING_KEY_ID, "names no key of the JWK Sets");
  if (!isPrivate(key)) throw new SigningKeysError(SIGNING_KEY_ID, "names a key without a private part");
  return key;
}

function isPrivate(key: SigningKey): key is PrivateSigningKey {
  return key.privateKey !== undefined;
}

/** A private part belongs to its public part, so that it is there says what it is. */
function contentOf({ keys, signing }: SigningKeySet): string {
  return JSON.stringify([signing.kid, ...keys.map((key) => [key.publicJwk, isPrivate(key)])]);
}
