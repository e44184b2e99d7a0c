import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { KeyId, KeyRecord, KeyStore } from "../store/key-store.js";
import { type ExportEntry, FORMAT_VERSION, formatEntry } from "./export-format.js";
import { TransferError } from "./transfer-error.js";

/** Records that are read at once, and lines that are written at once. */
const SLICE_RECORDS = 1_000;

/** Passes of an export that does not follow, before it gives up: keys are changed in every one. */
const MAX_PASSES = 10;

/** Such an export could hold a key as it was before its rotation, and the new one too. */
const TORN = `keys were changed in each of ${MAX_PASSES} passes, so that there is no export of one moment: use --follow, or try again when fewer keys change`;

export interface ExportOptions {
  readonly store: Pick<KeyStore, "scan">;
  /** 32 bytes, made from the pepper. */
  readonly macKey: Uint8Array;
  readonly pepperCheck: Uint8Array;
  readonly created: Date;
  /** Absent: the export ends as soon as it can. */
  readonly follow?: FollowOptions | undefined;
  /** Aborted: the export ends with its reason, within a thousand keys. */
  readonly interrupted?: AbortSignal | undefined;
  readonly onPass?: ((report: PassReport) => void) | undefined;
}

export interface FollowOptions {
  /** Aborted: nothing is changed any more, and the export may end. */
  readonly cutOver: AbortSignal;
  /** Between passes. */
  readonly intervalMs: number;
}

export interface PassReport {
  /** From 1. */
  readonly pass: number;
  /** That are there. */
  readonly keys: number;
  /** New ones and deleted ones included; last uses are none. */
  readonly changed: number;
}

/** Of a key, what was last written of it. */
interface Sent {
  readonly id: KeyId;
  readonly version: number;
  readonly lastUsedMs: number | undefined;
  /** In which it was last seen. */
  pass: number;
}

/**
 * The lines of an export, some at a time. The store is walked again and again, and what differs from what was written is written;
 * until a walk finds nothing but last uses, and `cutOver` was aborted before it. Every key was then the same before and after
 * the moment between the last two walks: the export is the store at that moment, with rotations whole. Last uses come with the
 * walks after the cut-over only: before it they would be written again with every walk. Throws TransferError, and has no end, when
 * it does not follow and never finds such a moment.
 *
 * Remembers about 300 bytes for each key.
 */
export async function* exportKeys(options: ExportOptions): AsyncGenerator<string> {
  const { store, macKey, pepperCheck, created, follow, interrupted, onPass = () => {} } = options;
  const mac = createHmac("sha256", macKey);
  let lines = 0;
  const format = (entries: readonly ExportEntry[]) => {
    const text = entries.map(formatEntry).join("");
    mac.update(text);
    lines += entries.length;
    return text;
  };

  const header = {
    version: FORMAT_VERSION,
    created: created.toISOString(),
    pepper_check: Buffer.from(pepperCheck).toString("base64"),
  };
  yield format([{ header }]);
  const sent = new Map<string, Sent>();
  for (let pass = 1; ; pass += 1) {
    const isLast = follow?.cutOver.aborted ?? true;
    let changed = 0;
    for await (const records of scanAll(store)) {
      interrupted?.throwIfAborted();
      const entries: ExportEntry[] = [];
      for (const record of records) {
        const difference = noteSent(sent, record, { pass, withUses: isLast });
        if (difference !== "none") entries.push({ record });
        if (difference === "changed") changed += 1;
      }
      if (entries.length > 0) yield format(entries);
    }
    const gone = [...sent].filter(([, { pass: seen }]) => seen !== pass);
    for (const [name] of gone) sent.delete(name);
    if (gone.length > 0) yield format(gone.map(([, { id }]) => ({ deleted: id })));
    changed += gone.length;

    onPass({ pass, keys: sent.size, changed });
    if (isLast && changed === 0) break;
    if (follow === undefined && pass === MAX_PASSES) throw new TransferError(TORN);
    if (!isLast && follow !== undefined) await pause(follow);
  }
  const end = { lines, keys: sent.size, mac: mac.digest("base64") };
  yield formatEntry({ end });
}

/** Every record of the store. */
export async function* scanAll(store: Pick<KeyStore, "scan">): AsyncGenerator<readonly KeyRecord[]> {
  let after: KeyId | undefined;
  do {
    const { records, end } = await store.scan(after, SLICE_RECORDS);
    yield records;
    after = end;
  } while (after !== undefined);
}

export function nameOf({ tenantId, keyId }: KeyId): string {
  return `${tenantId}/${keyId}`;
}

/** What a record has that was not written yet. */
function noteSent(
  sent: Map<string, Sent>,
  record: KeyRecord,
  { pass, withUses }: { readonly pass: number; readonly withUses: boolean },
): "none" | "used" | "changed" {
  const { tenantId, keyId, version } = record;
  const name = nameOf(record);
  const before = sent.get(name);
  const lastUsedMs = record.lastUsedTime?.getTime();
  if (before?.version === version && (before.lastUsedMs === lastUsedMs || !withUses)) {
    before.pass = pass;
    return "none";
  }
  sent.set(name, { id: { tenantId, keyId }, version, lastUsedMs, pass });
  return before?.version === version ? "used" : "changed";
}

async function pause({ cutOver, intervalMs }: FollowOptions): Promise<void> {
  try {
    await delay(intervalMs, undefined, { signal: cutOver });
  } catch (error) {
    if (!cutOver.aborted) throw error;
  }
}
