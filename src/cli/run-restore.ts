import type { Config } from "../config/config.js";
import { readChunks } from "../transfer/read-chunks.js";
import { planRestore, restoreKeys } from "../transfer/restore-keys.js";
import type { Output } from "./program.js";
import { withFileName } from "./with-file-name.js";
import { loadTransferSecrets, withStore } from "./with-store.js";

export interface RestoreCommand {
  readonly file: string;
  readonly isResumed: boolean;
}

/** Writes the keys of an export into the store. Rejects with TransferError, and as the store does. */
export async function runRestore(config: Config, { file, isResumed }: RestoreCommand, stderr: Output): Promise<void> {
  const secrets = await loadTransferSecrets(config);
  await withFileName(file, async () => {
    const plan = await planRestore(readChunks(file), secrets.exportKeys);
    const restored = await withStore(config, secrets, stderr, (store) =>
      restoreKeys({ store, keys: secrets.exportKeys, plan, chunks: readChunks(file), isResumed }),
    );
    stderr.write(`restored ${restored} keys\n`);
  });
}
