/**
 * What has come of itself is recorded here: expiry, and the end of grace periods. And what is left behind is cleared: new keys
 * of rotations that never committed, secrets that were kept for retries, and old tombstones. Each step is safe to do twice, at
 * the same time as any other operation, and by several processes: the lease only saves work.
 */
import type { KeyRecord } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { settlePending } from "./load-key.js";
import { recordStatuses } from "./record-statuses.js";

const SWEEP_INTERVAL_MS = 10_000;
const LEASE_MS = 3 * SWEEP_INTERVAL_MS;
const LEASE_NAME = "sweeper";
/** A rotation takes milliseconds. The age decides nothing (see below); it only spares the ones under way. */
const PENDING_AGE_MS = 60_000;
/** Longer than any cached record or stalled write can live. */
const TOMBSTONE_AGE_MS = 86_400_000;
const BATCH_RECORDS = 500;

export interface SweepReport {
  readonly statusesRecorded: number;
  readonly pendingCompleted: number;
  readonly pendingRemoved: number;
  readonly secretsRemoved: number;
  readonly tombstonesRemoved: number;
  /** What went wrong with single keys; they are tried again at the next pass. */
  readonly errors: readonly unknown[];
}

/** One pass over everything that is due; `signal` cuts it short. Throws UNAVAILABLE when nothing can be read. */
export async function sweep(context: DomainContext, signal?: AbortSignal): Promise<SweepReport> {
  const now = context.clock().getTime();
  const errors: unknown[] = [];
  const report = {
    statusesRecorded: 0,
    pendingCompleted: 0,
    pendingRemoved: 0,
    secretsRemoved: 0,
    tombstonesRemoved: 0,
    errors,
  };
  const pending = await context.store.listPending(new Date(now - PENDING_AGE_MS), BATCH_RECORDS);
  const options = { errors, signal };
  await sweepEach(pending, options, async (record) => {
    const outcome = await sweepPending(context, record);
    if (outcome === "completed") report.pendingCompleted++;
    else report.pendingRemoved++;
  });
  for (let isFull = true; isFull && signal?.aborted !== true; ) {
    const sealed = await context.store.listSealed(new Date(now), BATCH_RECORDS);
    const before = report.secretsRemoved;
    await sweepEach(sealed, options, async (record) => {
      // No match: somebody changed the key meanwhile, and the next pass finds it again.
      if (await context.store.compareAndSet(record, record.version, { sealedSecret: null })) report.secretsRemoved++;
    });
    isFull = sealed.length === BATCH_RECORDS && report.secretsRemoved > before;
  }
  report.tombstonesRemoved = await context.store.removeTombstones(new Date(now - TOMBSTONE_AGE_MS), BATCH_RECORDS);
  await recordStatuses(context, signal && { signal }).then(
    ({ recorded }) => {
      report.statusesRecorded = recorded;
    },
    (error) => errors.push(error),
  );
  return report;
}

/** One key must not keep the sweeper from the others, and no number of them a process from ending. */
async function sweepEach(
  records: readonly KeyRecord[],
  { errors, signal }: { readonly errors: unknown[]; readonly signal: AbortSignal | undefined },
  sweepOne: (record: KeyRecord) => Promise<void>,
): Promise<void> {
  for (const record of records) {
    if (signal?.aborted) return;
    try {
      await sweepOne(record);
    } catch (error) {
      errors.push(error);
    }
  }
}

/**
 * Settles one old pending key. If its predecessor names it, the rotation committed. If the predecessor is still at the
 * version that the rotation read, its commit may yet arrive, so that version is used up first. Past that version no
 * commit can match any more, and the key goes.
 */
async function sweepPending({ store }: DomainContext, record: KeyRecord): Promise<"completed" | "removed"> {
  if (record.pending === undefined) return "completed";
  if (await settlePending(store, record)) return "completed";

  const predecessorId = { tenantId: record.tenantId, keyId: record.pending.predecessor };
  await store.compareAndSet(predecessorId, record.pending.version, {});
  if (await settlePending(store, record)) return "completed"; // the commit came first
  await store.delete(record, record.version);
  return "removed";
}

export interface Sweeper {
  /** Cuts the pass under way short and sweeps no more. */
  stop(): Promise<void>;
}

export interface SweeperOptions {
  /** Names this process among those that share the store. */
  readonly holder: string;
  readonly onReport: (report: SweepReport) => void;
  /** A pass, or a key, that failed is tried again at the next interval. */
  readonly onError: (error: unknown) => void;
}

/** Sweeps at intervals, one process of those that share the store at a time. */
export function startSweeper(context: DomainContext, options: SweeperOptions): Sweeper {
  let underWay: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  const pass = async () => {
    try {
      if (!(await context.store.acquireLease(LEASE_NAME, options.holder, LEASE_MS))) return;
      const report = await sweep(context, stopping.signal);
      options.onReport(report);
      for (const error of report.errors) options.onError(error);
    } catch (error) {
      options.onError(error);
    }
  };
  const timer = setInterval(() => {
    underWay = underWay.then(pass);
  }, SWEEP_INTERVAL_MS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      stopping.abort();
      return underWay;
    },
  };
}
