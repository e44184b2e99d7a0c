import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { TransferError } from "./transfer-error.js";

/**
 * The bytes of a file, which is opened when the first of them are asked for. Throws TransferError when it cannot be read, and for a
 * pipe: whoever reads a file here reads it twice, and a pipe that nobody writes to would never open.
 */
export async function* readChunks(path: string): AsyncGenerator<Buffer> {
  let isFile = true;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    throw unreadable(error);
  }
  if (!isFile) throw new TransferError("is no regular file: it is read twice, so it cannot be a pipe or a device");
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): TransferError {
  return new TransferError(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
}
