import type { Logger } from "../telemetry/logger.js";

/**
 * Ends the process at once and by the kernel: `process.exit` would wait for a write of LMDB that waits for this thread, with the
 * lock that other processes need. What was acknowledged is durable.
 *
 * The first process of a container is spared by a SIGKILL of its own; an abort ends that one too.
 */
export function endAtOnce(): never {
  process.kill(process.pid, "SIGKILL");
  process.abort();
}

/** A defect that nobody caught ends the process. */
export function endOnDefect(logger: Logger): void {
  const end = (err: unknown) => {
    logger.fatal({ err }, "a defect ends the process");
    endAtOnce();
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}
