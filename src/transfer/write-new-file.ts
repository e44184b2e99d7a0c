import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, open, rename, rm } from "node:fs/promises";
import { TransferError } from "./transfer-error.js";

const PRIVATE_FILE_MODE = 0o600;
const PART_BYTES = 6;
/** What file systems that have no hard links say. */
const NO_HARD_LINKS = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** Throws TransferError when there is something under the name. */
export function refuseExistingFile(path: string): void {
  if (existsSync(path)) throw fileExists(path);
}

/**
 * Writes a file that nobody else can read. It has its name only when it is whole and on disk; until then a random part is added to
 * the name. Nothing is overwritten, and of what cannot be written nothing is left: throws TransferError instead.
 *
 * `linkFile` is for tests: no file system without hard links is at hand.
 */
export async function writeNewFile(
  path: string,
  texts: AsyncIterable<string> | Iterable<string>,
  linkFile = link,
): Promise<void> {
  refuseExistingFile(path);
  const part = `${path}.part-${randomBytes(PART_BYTES).toString("hex")}`;
  try {
    const file = await open(part, "wx", PRIVATE_FILE_MODE);
    try {
      for await (const text of texts) await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await giveName(part, path, linkFile);
  } catch (error) {
    throw failureOf(path, error as NodeJS.ErrnoException);
  } finally {
    await rm(part, { force: true });
  }
}

/** Rejects with EEXIST when the name is taken. */
async function giveName(part: string, path: string, linkFile: typeof link): Promise<void> {
  try {
    await linkFile(part, path);
  } catch (error) {
    if (!NO_HARD_LINKS.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    // A rename overwrites: the name is taken first, by an empty file.
    await (await open(path, "wx", PRIVATE_FILE_MODE)).close();
    await rename(part, path);
  }
}

/** What is no error of the system comes from `texts`. */
function failureOf(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code === "EEXIST") return fileExists(path);
  return error.syscall === undefined ? error : new TransferError(`${path} cannot be written (${error.code})`);
}

function fileExists(path: string): TransferError {
  return new TransferError(`${path} is there already; nothing is overwritten`);
}
