import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ServiceError } from "../../errors.js";
import { checkDataFile, DIRECTORY_MODE, FILE_MODE, reasonOf, syncDirectory } from "./check-directory.js";
import { openEnvironment } from "./environment.js";

const DATA_FILE = "data.mdb";

/** Whether a directory holds an embedded store. */
export function hasEmbeddedStore(directory: string): boolean {
  return existsSync(join(directory, DATA_FILE));
}

/**
 * Copies the store of a directory, as it is at one moment, into a new directory (0700) that can be a store's own at once. Services
 * go on with it meanwhile. The copy has its name only when it is whole and on disk. Rejects with UNAVAILABLE, and a message that
 * names the directory.
 *
 * While it runs the store keeps what is deleted or changed, so that its file may grow.
 */
export async function backupEmbeddedStore(directory: string, target: string): Promise<void> {
  if (!hasEmbeddedStore(directory)) throw new ServiceError("UNAVAILABLE", `there is no store in ${directory}`);
  if (existsSync(target)) {
    throw new ServiceError("UNAVAILABLE", `${target} is there already; a backup goes into a new directory`);
  }
  const path = resolve(target);
  const part = `${path}.part`;
  const environment = openEnvironment(directory);
  try {
    rmSync(part, { recursive: true, force: true }); // of a backup that was interrupted
    mkdirSync(part, { recursive: true, mode: DIRECTORY_MODE });
    await environment.copyTo(part);
    syncFile(join(part, DATA_FILE)); // LMDB leaves it to the system
    checkDataFile(part);
    syncDirectory(part);
    renameSync(part, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (error instanceof ServiceError) throw error;
    throw new ServiceError("UNAVAILABLE", `the backup ${target} cannot be written: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await environment.close();
  }
}

function syncFile(path: string): void {
  chmodSync(path, FILE_MODE);
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
