import { lstat, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { refuseOtherUser } from "./data-directory.js";
import { DataDirectoryError, dataDirectoryFailure, systemErrorCode } from "./data-directory-error.js";

const PRIVATE_FILE_MODE = 0o600;

/**
 * Does the work, which replaces `files`, while no other process changes the generated secrets of this directory.
 * @throws DataDirectoryError when another one does, when what is written would belong to another user than the service, or when
 *   one of the files is a symbolic link
 */
export async function withRotationLock<T>(
  directory: string,
  files: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (!(await refuseOtherUser(directory))) {
    throw new DataDirectoryError(directory, "is not there: no service has made secrets here");
  }
  for (const file of files) await refuseLink(file);
  const path = join(directory, "rotation.lock");
  try {
    await (await open(path, "wx", PRIVATE_FILE_MODE)).close();
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw dataDirectoryFailure(path, "making the file", error);
    const problem = "is there: another command changes the secrets, or was killed while it did; remove it if none does";
    throw new DataDirectoryError(path, problem);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** The link would be replaced, and what it leads to, which others may read too, would stay as it was. */
async function refuseLink(path: string): Promise<void> {
  let isLink: boolean;
  try {
    isLink = (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return; // whoever reads it says so
    throw dataDirectoryFailure(path, "reading the secret", error);
  }
  if (isLink) {
    throw new DataDirectoryError(path, "is a symbolic link, which would be replaced: put the file itself in its place");
  }
}
