import { createHash, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { openSecretsDirectory } from "./data-directory.js";
import { hmacFile, readRotatedHmac } from "./hmac-files.js";
import { KeyRing, type RotatedSecrets } from "./key-ring.js";
import { readOrCreateSecretFile, readSecretText } from "./secret-file.js";
import { generateAdminToken, generateSecretText, keyFromText, parseSecretText } from "./secret-text.js";
import { generateSigningJwks, signingJwksFile } from "./signing-keys.js";

/** What the configuration sets of `secrets.hmac`; what is absent is generated. */
export interface ConfiguredHmac {
  readonly current: KeyObject | undefined;
  readonly retired: readonly KeyObject[];
}

export interface SecretsOptions {
  readonly dataDir: string;
  /** What the configuration sets (`config.secrets` has this shape). Its file is then neither made nor read. */
  readonly configured: {
    readonly hmac: ConfiguredHmac;
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
    hmac: configured.hmac.current === undefined ? hmacFile(directory) : undefined,
    pepper: configured.pepper === undefined ? join(directory, "pepper") : undefined,
    adminToken: needsAdminToken ? adminTokenFile(directory) : undefined,
    signingJwks: needsSigningJwks ? signingJwksFile(directory) : undefined,
  };
  if (files.hmac !== undefined) await readOrCreateSecretFile(files.hmac, generateSecretText);
  const hmac = await readHmac(directory, configured.hmac);
  const pepper = configured.pepper ?? (await keyFromFile(join(directory, "pepper")));
  if (files.signingJwks !== undefined) await readOrCreateSecretFile(files.signingJwks, () => generateSigningJwks());
  return {
    keyRing: new KeyRing(hmac),
    pepper,
    adminToken: files.adminToken === undefined ? undefined : { sha256: await tokenHashFromFile(files.adminToken) },
    directory,
    files,
  };
}

/** What `secrets.hmac` is now. Makes nothing. @throws DataDirectoryError that names the file at fault */
export async function readHmac(directory: string, { current, retired }: ConfiguredHmac): Promise<RotatedSecrets> {
  const configured = retired.map((secret) => ({ secret }));
  if (current !== undefined) return { current, retired: configured };
  const generated = await readRotatedHmac(directory, await readSecretText(hmacFile(directory)));
  return { ...generated, retired: [...generated.retired, ...configured] };
}

/** The SHA-256 of the generated admin token as it is now. Makes nothing. @throws DataDirectoryError likewise */
export async function readAdminToken(directory: string): Promise<Uint8Array> {
  return hashOf(await readSecretText(adminTokenFile(directory)));
}

async function keyFromFile(path: string): Promise<KeyObject> {
  return keyFromText(parseSecretText(path, await readOrCreateSecretFile(path, generateSecretText)));
}

async function tokenHashFromFile(path: string): Promise<Uint8Array> {
  const token = parseSecretText(path, await readOrCreateSecretFile(path, generateAdminToken));
  return hashOf(token);
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function adminTokenFile(directory: string): string {
  return join(directory, "admin-token");
}
