import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { TransferError } from "./transfer-error.js";

const NO_FILE = "is no regular file: it is read twice, so it cannot be a pipe or a device";

/**
 * The bytes of a file, which is opened when the first of them are asked for. Throws TransferError when it cannot be read, and for a
 * pipe: whoever reads a file here reads it twice, and a pipe that nobody writes to would never open.
 */
export async function* readChunks(path: string): AsyncGenerator<Buffer> {
  try {
    const stats = await stat(path);
    // A directory is refused by the system.
    if (!stats.isFile() && !stats.isDirectory()) throw new TransferError(NO_FILE);
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof TransferError) throw error;
    throw new TransferError(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
