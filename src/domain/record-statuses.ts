import type { KeyRecord, KeyStore } from "../store/key-store.js";
import { coalesce } from "./coalesce.js";
import type { DomainContext } from "./context.js";
import { listedStatus } from "./key-status.js";

const BATCH_RECORDS = 500;
/** Writes under way at the same time: a store makes them durable together. */
const WRITES_AT_ONCE = 50;

/** Most statuses that one page of a list brings up to date. */
const MAX_RECORDS_OF_PAGE = 2_000;

export interface RecordedStatuses {
  readonly recorded: number;
  /** Nothing that was due is left. */
  readonly isDone: boolean;
}

/**
 * Records the expiry of keys, and the end of grace periods, that have come by now: lists by status find the keys under what they
 * are. Looks at about `maxRecords`, and begins no batch once `signal` is aborted. Throws UNAVAILABLE.
 */
export async function recordStatuses(
  { store, clock }: DomainContext,
  { maxRecords = Number.POSITIVE_INFINITY, signal }: { maxRecords?: number; signal?: AbortSignal } = {},
): Promise<RecordedStatuses> {
  let recorded = 0;
  for (let seen = 0; seen < maxRecords && signal?.aborted !== true; ) {
    const now = clock();
    // Both are in whole milliseconds: a status is due in the very millisecond that it ends.
    const due = [
      ...(await store.listDue(new Date(now.getTime() + 1), BATCH_RECORDS)),
      // What a clock that was ahead has recorded.
      ...(await store.listAhead(now, BATCH_RECORDS)),
    ];
    if (due.length === 0) return { recorded, isDone: true };
    const recordOne = async (record: KeyRecord) => {
      // No match: somebody changed the key meanwhile, and if it is still due it is found again.
      if (await store.compareAndSet(record, record.version, { listed: listedStatus(record, now) })) recorded += 1;
    };
    for (let start = 0; start < due.length; start += WRITES_AT_ONCE) {
      await Promise.all(due.slice(start, start + WRITES_AT_ONCE).map(recordOne));
    }
    seen += due.length;
  }
  return { recorded, isDone: false };
}

const recordingsForLists = new WeakMap<KeyStore, () => Promise<RecordedStatuses>>();

/** The same for a page of a list, within what one may do. Pages that are asked for at the same time do it once. */
export function recordStatusesForList(context: DomainContext): Promise<RecordedStatuses> {
  const { store } = context;
  const record =
    recordingsForLists.get(store) ?? coalesce(() => recordStatuses(context, { maxRecords: MAX_RECORDS_OF_PAGE }));
  recordingsForLists.set(store, record);
  return record();
}
