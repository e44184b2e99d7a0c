import { constants } from "node:fs";
import { access, mkdir, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DataDirectoryError, dataDirectoryFailure, systemErrorCode } from "./data-directory-error.js";

const PRIVATE_DIRECTORY_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;
/** Of a path that nothing is at, be it for a file in the way. */
const NOT_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

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

/**
 * Refuses a directory that belongs to another user: files that root makes there its owner could not read. Resolves to whether it
 * is there.
 * @throws DataDirectoryError that names it and its owner
 */
export async function refuseOtherUser(path: string): Promise<boolean> {
  let owner: number;
  try {
    owner = (await stat(path)).uid;
  } catch (error) {
    if (NOT_THERE.has(systemErrorCode(error) ?? "")) return false;
    throw dataDirectoryFailure(path, "opening the directory", error);
  }
  const user = process.getuid?.();
  if (user === undefined || user === owner) return true;
  throw new DataDirectoryError(path, `belongs to the user with uid ${owner}: run this as that user`);
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
