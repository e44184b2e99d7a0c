import { createHash, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { openSecretsDirectory } from "./data-directory.js";
import { KeyRing } from "./key-ring.js";
import { readOrCreateSecretFile } from "./secret-file.js";
import { generateAdminToken, generateSecretText, keyFromText, parseSecretText } from "./secret-text.js";
import { generateSigningJwks } from "./signing-keys.js";

export interface SecretsOptions {
  readonly dataDir: string;
  /** What the configuration sets (`config.secrets` has this shape). Its file is then neither made nor read. */
  readonly configured: {
    readonly hmac: { readonly current: KeyObject | undefined; readonly retired: readonly KeyObject[] };
    readonly pepper: KeyObject | undefined;
  };
  /** Whether an admin token is needed: admin calls are authenticated and no token is configured. */
  readonly needsAdminToken: boolean;
  /** Whether a set of signing keys is needed: none is configured. Absent: it is. */
  readonly needsSigningJwks?: boolean;
}

/** The service's secrets. Nothing in it shows a secret when it is printed, logged or turned into JSON. */
export interface Secrets {
  readonly keyRing: KeyRing;
  /** The key that ids of imported keys are made with. */
  readonly pepper: KeyObject;
  /** The generated admin token; absent when it was not needed. */
  readonly adminToken: { readonly sha256: Uint8Array } | undefined;
  /** Directory of the files. */
  readonly directory: string;
  /** Paths of the files in use; absent when the configuration has the value. */
  readonly files: {
    readonly hmac: string | undefined;
    readonly pepper: string | undefined;
    readonly adminToken: string | undefined;
    /** It is there; `openSigningKeySource` reads it. */
    readonly signingJwks: string | undefined;
  };
}

/**
 * Reads the secrets of a data directory, and makes those that are missing. Any number of processes may do so at the
 * same time: they end up with the same secrets.
 * @throws DataDirectoryError that names the file or directory at fault
 */
export async function loadOrCreateSecrets({
  dataDir,
  configured,
  needsAdminToken,
  needsSigningJwks = true,
}: SecretsOptions): Promise<Secrets> {
  const directory = await openSecretsDirectory(dataDir);
  const files = {
    hmac: configured.hmac.current === undefined ? join(directory, "hmac") : undefined,
    pepper: configured.pepper === undefined ? join(directory, "pepper") : undefined,
    adminToken: needsAdminToken ? join(directory, "admin-token") : undefined,
    signingJwks: needsSigningJwks ? join(directory, "signing-jwks.json") : undefined,
  };
  const hmac = configured.hmac.current ?? (await keyFromFile(join(directory, "hmac")));
  const pepper = configured.pepper ?? (await keyFromFile(join(directory, "pepper")));
  if (files.signingJwks !== undefined) await readOrCreateSecretFile(files.signingJwks, generateSigningJwks);
  return {
    keyRing: new KeyRing(hmac, configured.hmac.retired),
    pepper,
    adminToken: files.adminToken === undefined ? undefined : { sha256: await tokenHashFromFile(files.adminToken) },
    directory,
    files,
  };
}

async function keyFromFile(path: string): Promise<KeyObject> {
  return keyFromText(parseSecretText(path, await readOrCreateSecretFile(path, generateSecretText)));
}

async function tokenHashFromFile(path: string): Promise<Uint8Array> {
  const token = parseSecretText(path, await readOrCreateSecretFile(path, generateAdminToken));
  return createHash("sha256").update(token).digest();
}
