import type { CheckedFilter } from "../query/checked-filter.js";
import { matchesFilter } from "../query/filter-evaluator.js";
import { planFilter } from "../query/plan-filter.js";
import type { KeyKind, KeyRecord, ListCursor } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { keyFieldReader } from "./key-fields.js";
import { settlePending } from "./load-key.js";

/** Most records that one page may look at: a filter that fits few of them gives a short page and a token (AIP-158). */
const SCAN_BUDGET_RECORDS = 5_000;
/** Most records fetched at once. */
const MAX_BATCH_RECORDS = 1_000;
/** Comes after every key id. */
const LAST_KEY_ID = "~";

export interface ListKeysInput {
  readonly tenantId: string;
  readonly kind: KeyKind;
  /** Checked against `KEY_FIELDS`. */
  readonly filter: CheckedFilter;
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
  const { pageSize, maxBytes } = input;
  const time = context.clock();
  const scan = planScan(input);
  const records: KeyRecord[] = [];
  if (scan === undefined) return { records, time };
  let bytes = 0;
  let scanned = 0;
  let after = input.after ?? scan.start;

  while (scanned < SCAN_BUDGET_RECORDS) {
    const wanted = scan.isSelective ? MAX_BATCH_RECORDS : pageSize - records.length + 1;
    const limit = Math.min(wanted, SCAN_BUDGET_RECORDS - scanned);
    const batch = await context.store.list({ ...scan.list, limit, ...(after && { after }) });
    for (const candidate of batch) {
      if (candidate.createTime.getTime() < scan.endMs) return { records, time };
      const record = await settlePending(context.store, candidate);
      if (record !== undefined && matchesFilter(scan.residual, keyFieldReader(record, time))) {
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

/** What is read of a list, and what is asked of each record. */
interface Scan {
  readonly list: { readonly tenantId: string; readonly kind: KeyKind; readonly actorId?: string };
  /** Where it begins, when that is not with the newest record. */
  readonly start: ListCursor | undefined;
  /** It is over at the first record from before this time. */
  readonly endMs: number;
  readonly residual: CheckedFilter;
  /** Not every record that is read is a match: so more are read at a time than the page needs. */
  readonly isSelective: boolean;
}

/** `undefined`: nothing can match. */
function planScan({ tenantId, kind, filter }: ListKeysInput): Scan | undefined {
  const { equals, ranges, residual, isEmpty } = planFilter(filter);
  if (isEmpty) return undefined;
  const actorId = equals.get("actor_id");
  const { fromMs = Number.NEGATIVE_INFINITY, toMs } = ranges.get("create_time") ?? {};
  return {
    list: { tenantId, kind, ...(typeof actorId === "string" && { actorId }) },
    start: toMs === undefined ? undefined : { createTime: new Date(toMs + 1), keyId: LAST_KEY_ID },
    endMs: fromMs,
    residual,
    isSelective: residual.kind !== "and" || residual.filters.length > 0,
  };
}
