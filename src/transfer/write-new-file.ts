import { existsSync } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { TransferError } from "./transfer-error.js";

const PRIVATE_FILE_MODE = 0o600;

/** Throws TransferError when there is something under the name. */
export function refuseExistingFile(path: string): void {
  if (existsSync(path)) throw fileExists(path);
}

/**
 * Writes a file that nobody else can read. It has its name only when it is whole and on disk; until then the name ends in
 * `.part`. Nothing is overwritten, and of what cannot be written nothing is left: throws TransferError instead.
 */
export async function writeNewFile(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  refuseExistingFile(path);
  const part = `${path}.part`;
  try {
    await rm(part, { force: true }); // of a run that was interrupted
    const file = await open(part, "wx", PRIVATE_FILE_MODE);
    try {
      for await (const text of texts) await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // Fails when the name is taken.
    await link(part, path);
  } catch (error) {
    throw failureOf(path, error as NodeJS.ErrnoException);
  } finally {
    await rm(part, { force: true });
  }
}

/** What is no error of the system comes from `texts`. */
function failureOf(path: string, error: NodeJS.ErrnoException): Error {
  if (error.syscall === undefined) return error;
  return error.code === "EEXIST" ? fileExists(path) : new TransferError(`${path} cannot be written (${error.code})`);
}

function fileExists(path: string): TransferError {
  return new TransferError(`${path} is there already; nothing is overwritten`);
}
