import { constants } from "node:fs";
import { access, mkdir, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DataDirectoryError, dataDirectoryFailure } from "./data-directory-error.js";

const PRIVATE_DIRECTORY_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes sure that the data directory is there (0700 when it has to be made) and can be written. Resolves to its path.
 * @throws DataDirectoryError naming the path
 */
export async function openDataDirectory(dataDir: string): Promise<string> {
  await makeDirectory(dataDir);
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw dataDirectoryFailure(dataDir, "opening the data directory for writing", error);
  }
  return dataDir;
}

/** Where the secrets of a data directory are. */
export function secretsDirectory(dataDir: string): string {
  return join(dataDir, "secrets");
}

/** Makes the directory of the secrets (0700), or refuses one in which others could replace them. */
export async function openSecretsDirectory(dataDir: string): Promise<string> {
  const path = secretsDirectory(dataDir);
  await makeDirectory(path);
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new DataDirectoryError(path, `other users of this machine can write to it: run chmod 700 ${path}`);
  }
  return path;
}

/** Makes the names in a directory survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // has no such thing
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory and what is missing above it, durably. */
async function makeDirectory(path: string): Promise<void> {
  try {
    const firstMade = await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    if (firstMade === undefined) return;
    const top = dirname(resolve(firstMade));
    for (let parent = dirname(resolve(path)); parent.length >= top.length; parent = dirname(parent)) {
      await syncDirectory(parent);
      if (parent === top) break;
    }
  } catch (error) {
    throw dataDirectoryFailure(path, "making the directory", error);
  }
}
