import type { CheckedFilter } from "../query/checked-filter.js";
import { matchesFilter } from "../query/filter-evaluator.js";
import { planFilter } from "../query/plan-filter.js";
import { cursorAfter, type KeyKind, type KeyRecord, type KeyStatus, type ListCursor } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { keyFieldReader, statusFromName } from "./key-fields.js";
import { keyStatus } from "./key-status.js";
import { settlePending } from "./load-key.js";
import { PageTime } from "./page-time.js";
import { recordStatusesForList } from "./record-statuses.js";

/** Most records that one page may look at: a filter that fits few of them gives a short page and a token (AIP-158). */
const SCAN_BUDGET_RECORDS = 5_000;
/** Most records fetched at once besides what a page takes: to read them holds up other calls. */
const MAX_GROWN_BATCH_RECORDS = 250;
/** Comes after every key id. */
const LAST_KEY_ID = "~";
/** Before the newest record that there can be. */
const BEGINNING: ListCursor = { createTime: new Date(8.64e15), keyId: "0" };

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
  const time = context.clock();
  const scan = planScan(input);
  if (scan === undefined) return { records: [], time };
  if (await isListComplete(context, scan.status)) return readPage(context, input, scan, time);
  return { records: [], time, next: scan.after ?? BEGINNING };
}

/**
 * Whether what a list by status has is all that has the status: a key stays listed as active for a while after it is not any
 * more, which hides it from no list but those of the other statuses.
 */
async function isListComplete(context: DomainContext, status: KeyStatus | undefined): Promise<boolean> {
  if (status === undefined || status === "active") return true;
  return (await recordStatusesForList(context)).isDone;
}

async function readPage(context: DomainContext, input: ListKeysInput, scan: Scan, time: Date): Promise<KeyPage> {
  const { pageSize, maxBytes, bytesOf } = input;
  const records: KeyRecord[] = [];
  let bytes = 0;
  let { after } = scan;
  const pageTime = new PageTime();

  for (let scanned = 0; scanned < SCAN_BUDGET_RECORDS; ) {
    const scanLimit = SCAN_BUDGET_RECORDS - scanned;
    // One more than the page takes, to know whether there is one; and more each time, when few of them match.
    const grown = Math.min(scanned, MAX_GROWN_BATCH_RECORDS);
    const limit = Math.min(Math.max(pageSize - records.length + 1, grown), scanLimit);
    const query = { ...scan.list, ...(after && { after }), limit, scanLimit };
    const slice = await pageTime.waitFor(context.store.list(query));
    for (const candidate of slice.records) {
      const record = await settlePending(context.store, candidate);
      if (record !== undefined && isMatch(scan, record, time)) {
        bytes += bytesOf(record);
        const full = records.length === pageSize || (records.length > 0 && bytes > maxBytes);
        if (full) return after ? { records, time, next: after } : { records, time };
        records.push(record);
      }
      after = cursorAfter(candidate);
      if (pageTime.isOver()) return { records, time, next: after };
      await pageTime.pause();
    }
    if (slice.end === undefined) return { records, time };
    after = slice.end;
    scanned += slice.scanned;
  }
  return after ? { records, time, next: after } : { records, time };
}

/** What is read of a list, and what is asked of each record. */
interface Scan {
  readonly list: {
    readonly tenantId: string;
    readonly kind: KeyKind;
    readonly actorId?: string;
    readonly status?: KeyStatus;
    readonly createdFrom?: Date;
    readonly filter: CheckedFilter;
  };
  /** Where it begins, when that is not with the newest record. */
  readonly after: ListCursor | undefined;
  /** What records are listed under, and have to be at the time. */
  readonly status: KeyStatus | undefined;
}

/** `undefined`: nothing can match. */
function planScan({ tenantId, kind, filter, after }: ListKeysInput): Scan | undefined {
  const { equals, ranges, residual, isEmpty } = planFilter(filter);
  if (isEmpty) return undefined;
  const actorId = equals.get("actor_id");
  const status = statusFromName(equals.get("status"));
  const { fromMs, toMs } = ranges.get("create_time") ?? {};
  return {
    list: {
      tenantId,
      kind,
      ...(typeof actorId === "string" && { actorId }),
      ...(status && { status }),
      ...(fromMs !== undefined && { createdFrom: new Date(fromMs) }),
      filter: residual,
    },
    after: after ?? (toMs === undefined ? undefined : { createTime: new Date(toMs + 1), keyId: LAST_KEY_ID }),
    status,
  };
}

function isMatch({ list, status }: Scan, record: KeyRecord, time: Date): boolean {
  if (status !== undefined && keyStatus(record, time) !== status) return false;
  return matchesFilter(list.filter, keyFieldReader(record, time));
}
