import type { Config } from "../config/config.js";
import { readChunks } from "../transfer/read-chunks.js";
import { planRestore, restoreKeys } from "../transfer/restore-keys.js";
import { TransferError } from "../transfer/transfer-error.js";
import type { Output } from "./program.js";
import { loadTransferSecrets, withStore } from "./with-store.js";

export interface RestoreCommand {
  readonly file: string;
  readonly isResumed: boolean;
}

/** Writes the keys of an export into the store. Rejects with TransferError, and as the store does. */
export async function runRestore(config: Config, { file, isResumed }: RestoreCommand, stderr: Output): Promise<void> {
  const secrets = await loadTransferSecrets(config);
  try {
    const plan = await planRestore(readChunks(file), secrets.exportKeys);
    const restored = await withStore(config, secrets, stderr, (store) =>
      restoreKeys({ store, keys: secrets.exportKeys, plan, chunks: readChunks(file), isResumed }),
    );
    stderr.write(`restored ${restored} keys\n`);
  } catch (error) {
    if (error instanceof TransferError) throw new TransferError(`${file}: ${error.message}`);
    throw error;
  }
}
