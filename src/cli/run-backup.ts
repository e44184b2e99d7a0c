import type { Config } from "../config/config.js";
import { backupEmbeddedStore } from "../store/embedded/backup-store.js";
import { TransferError } from "../transfer/transfer-error.js";
import { endAtOnce } from "./end-on-defect.js";
import { refuseOthersStore, storeDirectory } from "./open-domain.js";
import type { Output } from "./program.js";
import { takeStopSignals } from "./stop-signals.js";

/**
 * Copies the embedded store. Rejects with TransferError when the keys are in MongoDB, and as the store does.
 *
 * A signal waits until the copy is made, and has it removed: a process that ends in the middle of it leaves a part of a copy, and
 * a snapshot that the store has to keep until a service clears it.
 */
export async function runBackup(config: Config, directory: string, stderr: Output): Promise<void> {
  if (config.store.mongodb !== undefined) {
    throw new TransferError("the keys are in MongoDB: back it up with its own tools, or run latchkey export");
  }
  await refuseOthersStore(config);
  const interrupted = new AbortController();
  const { first, again } = takeStopSignals();
  void first.then(() => {
    interrupted.abort();
    stderr.write(
      "latchkey: the copy is removed as soon as it is made; another signal ends this now, and leaves a part\n",
    );
  });
  void again.then(endAtOnce);
  await backupEmbeddedStore(storeDirectory(config.dataDir), directory, interrupted.signal);
  stderr.write(`${directory} is a copy of the store; the secrets are not in it\n`);
}
