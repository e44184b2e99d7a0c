import type { KeyKind, KeyRecord, ListCursor } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { type KeyStatus, keyStatus } from "./key-status.js";
import { settlePending } from "./load-key.js";

/** Most records that one page may look at: a filter that fits few of them gives a short page and a token (AIP-158). */
const SCAN_BUDGET_RECORDS = 5_000;
/** Most records fetched at once. */
const MAX_BATCH_RECORDS = 1_000;

export interface KeyFilter {
  readonly actorId?: string;
  readonly status?: KeyStatus;
}

export interface ListKeysInput {
  readonly tenantId: string;
  readonly kind: KeyKind;
  readonly filter: KeyFilter;
  readonly after?: ListCursor | undefined;
  readonly pageSize: number;
  /** The page ends early before it grows past this many bytes, as `bytesOf` counts them; one key always fits. */
  readonly maxBytes: number;
  readonly bytesOf: (record: KeyRecord) => number;
}

export interface KeyPage {
  readonly records: readonly KeyRecord[];
  /** When the page was made: what a filter on status asked, and what the keys have to be shown at. */
  readonly time: Date;
  /** Where the next page begins; absent after the last. */
  readonly next?: ListCursor;
}

/** A page of keys in (create time descending, key id) order, with the status that each has now. Throws UNAVAILABLE. */
export async function listKeys(context: DomainContext, input: ListKeysInput): Promise<KeyPage> {
  const { tenantId, kind, filter, pageSize, maxBytes } = input;
  const time = context.clock();
  const records: KeyRecord[] = [];
  let bytes = 0;
  let scanned = 0;
  let after = input.after;

  while (scanned < SCAN_BUDGET_RECORDS) {
    const limit = Math.min(batchSize(pageSize - records.length, filter), SCAN_BUDGET_RECORDS - scanned);
    const batch = await context.store.list({
      tenantId,
      kind,
      limit,
      ...(filter.actorId !== undefined && { actorId: filter.actorId }),
      ...(after && { after }),
    });
    for (const candidate of batch) {
      const record = await settlePending(context.store, candidate);
      if (record !== undefined && matchesStatus(record, filter, time)) {
        bytes += input.bytesOf(record);
        const full = records.length === pageSize || (records.length > 0 && bytes > maxBytes);
        if (full) return after ? { records, time, next: after } : { records, time };
        records.push(record);
      }
      after = { createTime: candidate.createTime, keyId: candidate.keyId };
    }
    scanned += batch.length;
    if (batch.length < limit) return { records, time };
  }
  return after ? { records, time, next: after } : { records, time };
}

/** One record more than the page needs tells whether there is a next page; a filter on status reads ahead. */
function batchSize(wanted: number, filter: KeyFilter): number {
  return filter.status === undefined ? wanted + 1 : MAX_BATCH_RECORDS;
}

function matchesStatus(record: KeyRecord, filter: KeyFilter, now: Date): boolean {
  return filter.status === undefined || keyStatus(record, now) === filter.status;
}
