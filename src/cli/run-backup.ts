import type { Config } from "../config/config.js";
import { backupEmbeddedStore } from "../store/embedded/backup-store.js";
import { TransferError } from "../transfer/transfer-error.js";
import { storeDirectory } from "./open-domain.js";
import type { Output } from "./program.js";

/** Copies the embedded store. Rejects with TransferError when the keys are in MongoDB, and as the store does. */
export async function runBackup(config: Config, directory: string, stderr: Output): Promise<void> {
  if (config.store.mongodb !== undefined) {
    throw new TransferError("the keys are in MongoDB: back it up with its own tools, or run latchkey export");
  }
  await backupEmbeddedStore(storeDirectory(config.dataDir), directory);
  stderr.write(`${directory} is a copy of the store; the secrets are not in it\n`);
}
