import type { ChangeFeed } from "../cache/change-feed.js";

/** Polls that fail one after the other until somebody is told. */
const REPORTED_FAILURES = 3;

export interface PollingOptions {
  readonly poll: () => Promise<void>;
  /** From the beginning of a poll to that of the next one, which waits for its end. */
  readonly intervalMs: number;
  /** Told once each time that polls begin to fail. They go on. */
  readonly onError: (error: unknown) => void;
}

/** Polls at intervals, one poll at a time, from now on. Does not keep the process alive. */
export function startPolling({ poll, intervalMs, onError }: PollingOptions): ChangeFeed {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  const run = async () => {
    const startMs = performance.now();
    try {
      await poll();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === REPORTED_FAILURES && !isStopped) onError(error);
    }
    if (isStopped) return;
    timer = setTimeout(start, Math.max(0, startMs + intervalMs - performance.now())).unref();
  };
  let underWay = run();
  const start = () => {
    underWay = run();
  };

  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      return underWay;
    },
  };
}
