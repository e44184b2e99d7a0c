import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ServiceError } from "../../errors.js";
import { checkDataFile, DIRECTORY_MODE, FILE_MODE, reasonOf, syncDirectory } from "./check-directory.js";
import { openClosedTables } from "./environment.js";

const DATA_FILE = "data.mdb";
/** What it fails with to rename a directory onto one that holds something, or onto a file. */
const IS_TAKEN = ["ENOTEMPTY", "EEXIST", "ENOTDIR"];

/** Whether a directory holds an embedded store. */
export function hasEmbeddedStore(directory: string): boolean {
  return existsSync(join(directory, DATA_FILE));
}

/**
 * Copies the store of a directory, as it is at one moment and whatever its format, into a new directory (0700) that can be a store's
 * own at once. Services go on with it meanwhile. The copy has its name only when it is whole and on disk; until then a random part
 * is added to the name. Rejects with UNAVAILABLE, and a message that names the directory.
 *
 * While it runs the store keeps what is deleted or changed, so that its file may grow. Nothing ends it before the copy is made:
 * once `interrupted` is aborted the copy is removed then.
 */
export async function backupEmbeddedStore(directory: string, target: string, interrupted: AbortSignal): Promise<void> {
  if (!hasEmbeddedStore(directory)) throw new ServiceError("UNAVAILABLE", `there is no store in ${directory}`);
  if (existsSync(target)) throw targetExists(target);
  const path = resolve(target);
  const source = openClosedTables(directory);
  let part: string | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    part = mkdtempSync(`${path}.part-`); // for its owner alone
    await source.copyTo(part);
    if (interrupted.aborted) throw new ServiceError("UNAVAILABLE", `the backup ${target} was interrupted, and removed`);
    syncFile(join(part, DATA_FILE)); // LMDB leaves it to the system
    checkDataFile(part);
    syncDirectory(part);
    giveName(part, path, target);
    syncDirectory(dirname(path));
  } catch (error) {
    if (part !== undefined) rmSync(part, { recursive: true, force: true });
    if (error instanceof ServiceError) throw error;
    throw new ServiceError("UNAVAILABLE", `the backup ${target} cannot be written: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await source.close();
  }
}

/** Throws when there is something under the name by now; an empty directory is replaced. */
function giveName(part: string, path: string, target: string): void {
  try {
    renameSync(part, path);
  } catch (error) {
    throw IS_TAKEN.includes((error as NodeJS.ErrnoException).code ?? "") ? targetExists(target) : error;
  }
}

function targetExists(target: string): ServiceError {
  return new ServiceError("UNAVAILABLE", `${target} is there already; a backup goes into a new directory`);
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
