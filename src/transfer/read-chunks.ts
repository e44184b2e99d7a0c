import { createReadStream } from "node:fs";
import { TransferError } from "./transfer-error.js";

/** The bytes of a file, which is opened when the first of them are asked for. Throws TransferError when it cannot be read. */
export async function* readChunks(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw new TransferError(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
