import { timingSafeEqual } from "node:crypto";
import type { KeyRecord, KeyStore } from "../store/key-store.js";
import { nameOf, scanAll } from "./export-keys.js";
import { type ExportKeys, readExport } from "./read-export.js";
import { TransferError } from "./transfer-error.js";

/** Records of one write. */
const BATCH_RECORDS = 100;
const WRITES_AT_ONCE = 4;

/** The line that says last what a key is. */
interface PlannedLine {
  readonly number: number;
  readonly version: number;
  readonly digest: string;
}

/** The lines of an export that count: one for each key that is left at its end, by `nameOf`. */
export type ExportPlan = ReadonlyMap<string, PlannedLine>;

export interface RestoreOptions {
  readonly store: Pick<KeyStore, "scan" | "restoreMany">;
  readonly keys: ExportKeys;
  /** Of the same export. */
  readonly plan: ExportPlan;
  /** The export, from its beginning again. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Whether the store may hold what an earlier restore of the same export has written. */
  readonly isResumed: boolean;
  readonly onProgress?: ((restored: number) => void) | undefined;
}

/**
 * Reads an export to its end, so that whatever is wrong with it is found before anything is written. Throws TransferError.
 * Remembers about 300 bytes for each key.
 */
export async function planRestore(chunks: AsyncIterable<Buffer>, keys: ExportKeys): Promise<ExportPlan> {
  const plan = new Map<string, PlannedLine>();
  for await (const line of readExport(chunks, keys)) {
    if ("record" in line) {
      const { number, digest, record } = line;
      plan.set(nameOf(record), { number, version: record.version, digest });
    } else plan.delete(nameOf(line.deleted));
  }
  return plan;
}

/**
 * Writes the keys of an export into a store that holds none; answers how many. Done again after an interruption it ends at the
 * same. The export is read anew, and no line is written that is not, byte for byte, the one that the plan was made of. Throws
 * TransferError, before anything is written when it is for what the store holds.
 */
export async function restoreKeys(options: RestoreOptions): Promise<number> {
  const { store, keys, plan, chunks, isResumed, onProgress } = options;
  await checkTarget(store, plan, isResumed);

  let restored = 0;
  let kept = 0;
  const write = async (records: readonly KeyRecord[]) => {
    for (const result of await store.restoreMany(records)) {
      if (result === "restored") restored += 1;
      else kept += 1;
    }
    onProgress?.(restored);
  };
  const writeAll = async (records: readonly KeyRecord[]) => {
    const batches: Promise<void>[] = [];
    for (let start = 0; start < records.length; start += BATCH_RECORDS) {
      batches.push(write(records.slice(start, start + BATCH_RECORDS)));
    }
    await Promise.all(batches);
  };

  let waiting: KeyRecord[] = [];
  for await (const line of readExport(chunks, keys)) {
    if (!("record" in line)) continue;
    const planned = plan.get(nameOf(line.record));
    if (planned?.number !== line.number) continue;
    if (!isSameDigest(planned.digest, line.digest)) throw changedMeanwhile(line.number);
    waiting.push(line.record);
    if (waiting.length < BATCH_RECORDS * WRITES_AT_ONCE) continue;
    await writeAll(waiting);
    waiting = [];
  }
  await writeAll(waiting);
  if (kept > 0) {
    throw new TransferError(`${kept} of ${plan.size} keys were not restored: the store has newer versions of them`);
  }
  return restored;
}

function isSameDigest(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function changedMeanwhile(line: number): TransferError {
  return new TransferError(
    `line ${line} was changed after the export was checked, and is not written: go on with the export as it was by --resume`,
  );
}

async function checkTarget(store: Pick<KeyStore, "scan">, plan: ExportPlan, isResumed: boolean): Promise<void> {
  for await (const records of scanAll(store)) {
    if (records.length === 0) continue;
    if (!isResumed) {
      throw new TransferError(
        "the store holds keys already, and nothing was written: restore into an empty one, or go on with an interrupted restore of the same export by --resume",
      );
    }
    const isForeign = records.some((record) => (plan.get(nameOf(record))?.version ?? 0) < record.version);
    if (!isForeign) continue;
    throw new TransferError(
      "the store holds keys that the export does not have, or newer versions of them, and nothing was written: restore into an empty one",
    );
  }
}
