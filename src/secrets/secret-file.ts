import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./data-directory.js";
import { DataDirectoryError, dataDirectoryFailure, systemErrorCode } from "./data-directory-error.js";
import { parseSecretText } from "./secret-text.js";

const PRIVATE_FILE_MODE = 0o600;
const READABLE_BY_OTHERS = 0o077;
const PERMISSION_BITS = 0o777;
const TEMPORARY_NAME_BYTES = 8;
const OCTAL = 8;

/** Content of the file, which is made with `generate` when it is not there. Everyone who asks gets the same content. */
export async function readOrCreateSecretFile(path: string, generate: () => string): Promise<string> {
  const existing = await readSecretFile(path);
  if (existing !== undefined) return existing;
  await createSecretFile(path, generate());
  const created = await readSecretFile(path);
  if (created === undefined) throw new DataDirectoryError(path, "was removed while the service started");
  return created;
}

/**
 * Content of the file, `undefined` when there is none.
 * @throws DataDirectoryError when it cannot be read, or when others can read it too
 */
export async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      const { mode } = await file.stat();
      if (process.platform !== "win32" && (mode & READABLE_BY_OTHERS) !== 0) {
        const bits = (mode & PERMISSION_BITS).toString(OCTAL);
        throw new DataDirectoryError(
          path,
          `other users of this machine can use it (mode ${bits}): run chmod 600 ${path}`,
        );
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DataDirectoryError) throw error;
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw dataDirectoryFailure(path, "reading the secret", error);
  }
}

/** The secret that a file holds, which has to be there. @throws DataDirectoryError likewise */
export async function readSecretText(path: string): Promise<string> {
  const content = await readSecretFile(path);
  if (content === undefined) throw new DataDirectoryError(path, "is gone; restore it from a backup");
  return parseSecretText(path, content);
}

/**
 * Puts a whole file in place, or leaves the one that is there: the content is written and synced under a name of its
 * own, then linked, which fails when the name is taken. So a crash leaves no part of a secret under its name, and of
 * two processes that start together both use what the faster one wrote.
 */
function createSecretFile(path: string, content: string): Promise<void> {
  return putSecretFile(path, content, "creating the secret", async (temporary) => {
    await linkUnlessThere(temporary, path);
    await rm(temporary);
  });
}

/** Puts a whole file in the place of the one that is there, likewise: a crash leaves the one or the other. */
export function replaceSecretFile(path: string, content: string): Promise<void> {
  return putSecretFile(path, content, "replacing the secret", (temporary) => rename(temporary, path));
}

/** Writes and syncs the content under a name of its own, which `place` turns into the file's. */
async function putSecretFile(
  path: string,
  content: string,
  doing: string,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(TEMPORARY_NAME_BYTES).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", PRIVATE_FILE_MODE);
    try {
      await file.writeFile(content, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw dataDirectoryFailure(path, doing, error);
  }
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
