import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Config } from "../config/config.js";
import { hasEmbeddedStore } from "../store/embedded/backup-store.js";
import { exportKeys, type PassReport } from "../transfer/export-keys.js";
import { TransferError } from "../transfer/transfer-error.js";
import { refuseExistingFile, writeNewFile } from "../transfer/write-new-file.js";
import { endAtOnce } from "./end-on-defect.js";
import { storeDirectory } from "./open-domain.js";
import type { Output } from "./program.js";
import { takeStopSignals } from "./stop-signals.js";
import { loadTransferSecrets, withStore } from "./with-store.js";

const STDOUT = "-";
const PASS_INTERVAL_MS = 1_000;

export interface ExportCommand {
  /** `-`: stdout. */
  readonly file: string;
  readonly isFollowing: boolean;
}

/** Writes the store's keys into a file. Rejects with TransferError, and as the store does. */
export async function runExport(config: Config, { file, isFollowing }: ExportCommand, stderr: Output): Promise<void> {
  if (file !== STDOUT) refuseExistingFile(file);
  else if (process.stdout.isTTY) throw new TransferError("an export is secret: write it to a file, or pipe it");
  const directory = storeDirectory(config.dataDir);
  if (config.store.mongodb === undefined && !hasEmbeddedStore(directory)) {
    throw new TransferError(`there is no store in ${directory}`);
  }
  const secrets = await loadTransferSecrets(config);
  const { cutOver, interrupted } = takeExportSignals(isFollowing);

  let last: PassReport | undefined;
  const onPass = (report: PassReport) => {
    last = report;
    if (cutOver === undefined) return;
    const { pass, keys, changed } = report;
    const waits = cutOver.aborted && changed > 0 ? "; keys are still being changed" : "";
    stderr.write(`pass ${pass}: ${keys} keys, ${changed} changed${waits}\n`);
  };
  await withStore(config, secrets, stderr, async (store) => {
    const lines = exportKeys({
      ...secrets.exportKeys,
      store,
      created: new Date(),
      follow: cutOver && { cutOver, intervalMs: PASS_INTERVAL_MS },
      interrupted,
      onPass,
    });
    if (file === STDOUT) await writeToStdout(lines, interrupted);
    else await writeNewFile(file, lines);
  });
  stderr.write(`exported ${last?.keys ?? 0} keys\n`);
}

/** Ends also while whoever reads it does not go on. */
async function writeToStdout(lines: AsyncIterable<string>, interrupted: AbortSignal): Promise<void> {
  try {
    await pipeline(Readable.from(lines), process.stdout, { end: false, signal: interrupted });
  } catch (error) {
    interrupted.throwIfAborted();
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== "write") throw error;
    // Of all but a closed pipe `main.ts` says what it is.
    throw new TransferError(
      code === "EPIPE" ? "standard output was closed before the export was whole" : "the export is not whole",
    );
  }
}

interface ExportSignals {
  /** Nothing is changed any more. Absent: nobody waits for that. */
  readonly cutOver: AbortSignal | undefined;
  /** The export is not wanted any more. */
  readonly interrupted: AbortSignal;
}

/** The first SIGINT or SIGTERM is the cut-over of an export that follows. The next one, or of another export the first, ends it. */
function takeExportSignals(isFollowing: boolean): ExportSignals {
  const cutOver = new AbortController();
  const interrupted = new AbortController();
  const { first, again } = takeStopSignals();
  const interrupt = () => interrupted.abort(new TransferError("the export was interrupted"));
  void first.then(() => (isFollowing ? cutOver.abort() : interrupt()));
  void again.then(() => (isFollowing ? interrupt() : endAtOnce()));
  return { cutOver: isFollowing ? cutOver.signal : undefined, interrupted: interrupted.signal };
}
