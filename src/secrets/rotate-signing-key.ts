import { DataDirectoryError } from "./data-directory-error.js";
import type { Forgetting, Forgotten, Rotation } from "./rotation.js";
import { withRotationLock } from "./rotation-lock.js";
import { readSecretFile, replaceSecretFile } from "./secret-file.js";
import { formatJwks, generateSigningJwk, parseSigningJwks, signingJwksFile } from "./signing-keys.js";
import { SigningKeysError } from "./signing-keys-error.js";

const MS_PER_SECOND = 1_000;

/** What is looked at of a JWK here. */
interface Jwk {
  readonly nbf?: number;
}

/** Adds a signing key to the generated set, with the time of its first use as `nbf`. @throws DataDirectoryError */
export function rotateSigningKey({ directory, usedFromMs }: Rotation): Promise<void> {
  const path = signingJwksFile(directory);
  return withRotationLock(directory, [path], async () => {
    const nbf = Math.ceil(usedFromMs / MS_PER_SECOND);
    // One that still waits for its turn must not come after the new one.
    const earlier = (await readJwks(path)).map((jwk) =>
      jwk.nbf === undefined || jwk.nbf < nbf ? jwk : { ...jwk, nbf: nbf - 1 },
    );
    // At the end: an earlier release, which knows no nbf, signs with the first.
    await replaceSecretFile(path, formatJwks([...earlier, { ...generateSigningJwk(), nbf }]));
  });
}

/**
 * Takes keys that had a successor out of the generated set. Their tokens verify no more from when a service reads that.
 * @throws DataDirectoryError
 */
export function forgetSigningKeys({ directory, retiredBeforeMs }: Forgetting): Promise<Forgotten> {
  const path = signingJwksFile(directory);
  return withRotationLock(directory, [path], async () => {
    const jwks = await readJwks(path);
    const usedUntilMs = (jwk: Jwk) =>
      MS_PER_SECOND * Math.min(...jwks.map(startOf).filter((nbf) => nbf > startOf(jwk)));
    const isNewest = (jwk: Jwk) => usedUntilMs(jwk) === Number.POSITIVE_INFINITY;
    const kept = jwks.filter((jwk) => isNewest(jwk) || usedUntilMs(jwk) > retiredBeforeMs);
    if (kept.length < jwks.length) await replaceSecretFile(path, formatJwks(kept));
    return {
      forgotten: jwks.length - kept.length,
      keptUsedUntilMs: kept.filter((jwk) => !isNewest(jwk)).map(usedUntilMs),
    };
  });
}

function startOf({ nbf = Number.NEGATIVE_INFINITY }: Jwk): number {
  return nbf;
}

/** The JWKs as they are written, private parts included. */
async function readJwks(path: string): Promise<readonly Jwk[]> {
  const content = await readSecretFile(path);
  if (content === undefined) throw new DataDirectoryError(path, "is gone; restore it from a backup");
  try {
    parseSigningJwks(path, content);
  } catch (error) {
    if (!(error instanceof SigningKeysError)) throw error;
    throw new DataDirectoryError(path, `${error.problem}; restore it from a backup`);
  }
  return (JSON.parse(content) as { readonly keys: readonly Jwk[] }).keys;
}
