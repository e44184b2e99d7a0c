import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./data-directory.js";
import { DataDirectoryError, dataDirectoryFailure, systemErrorCode } from "./data-directory-error.js";

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

/**
 * Puts a whole file in place, or leaves the one that is there: the content is written and synced under a name of its
 * own, then linked, which fails when the name is taken. So a crash leaves no part of a secret under its name, and of
 * two processes that start together both use what the faster one wrote.
 */
async function createSecretFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(TEMPORARY_NAME_BYTES).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", PRIVATE_FILE_MODE);
    try {
      await file.writeFile(content, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await linkUnlessThere(temporary, path);
    await rm(temporary);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw dataDirectoryFailure(path, "creating the secret", error);
  }
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
