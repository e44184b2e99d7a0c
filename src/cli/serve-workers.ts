import cluster, { type Worker } from "node:cluster";
import type { Config } from "../config/config.js";
import { LineBuffer } from "../telemetry/line-buffer.js";
import { createLogger } from "../telemetry/logger.js";
import { CommandFailure } from "./command-failure.js";
import { endOnDefect } from "./end-on-defect.js";
import { findPort } from "./find-port.js";
import { forwardLines } from "./forward-lines.js";
import type { HangUps } from "./hang-ups.js";
import { openSecrets } from "./open-domain.js";
import type { Output } from "./program.js";
import { banner } from "./serve.js";
import { takeStopSignals } from "./stop-signals.js";
import { WorkerPool } from "./worker-pool.js";

/** How much longer than the workers' own time limit a drain may take before they are killed. */
const DRAIN_MARGIN_MS = 5_000;

/**
 * Runs the service in `count` processes that share the port, until SIGTERM or SIGINT, or until the terminal closes, then drains
 * them all; a second signal kills them. SIGHUP is handed on to them, once they are up. This process, the primary, takes the
 * connections and hands them out in turn. It opens no store: the workers do (`serve-worker.ts`), and log through it. Rejects
 * with a `CommandFailure` when they do not start, or do not drain.
 */
export async function serveWorkers(
  config: Config,
  warnings: readonly string[],
  count: number,
  hangUps: HangUps,
  stderr: Output,
): Promise<void> {
  const output = new LineBuffer();
  const logger = createLogger({ level: config.log.level, destination: output });
  const signals = takeStopSignals(hangUps);
  for (const warning of warnings) logger.warn(warning);
  endOnDefect(logger);

  // What there may be one of only is made before the workers look for it.
  const secrets = await openSecrets(config);
  const port = await findPort(config.server);
  cluster.setupPrimary({ stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const pool = new WorkerPool({ count, port, logger, fork: () => forkWorker(output) });
  hangUps.onReload(() => pool.reload());

  const url = await Promise.race([pool.start(), signals.first]);
  if (url !== undefined) {
    logger.info({ url, workers: count }, "ready");
    stderr.write(banner(config, url, secrets));
  }

  await signals.first;
  logger.info("draining");
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), config.server.drainTimeoutMs + DRAIN_MARGIN_MS);
  void signals.again.then(() => cut.abort());
  const failed = await pool.drain(cut.signal);
  clearTimeout(timer);
  if (failed > 0) throw new CommandFailure(`${failed} of ${count} workers did not drain`);
  logger.info("stopped");
}

/** It runs the same command. */
function forkWorker(output: LineBuffer): Worker {
  const worker = cluster.fork();
  // It is not there when the process could not be started.
  if (worker.process.stdout) forwardLines(worker.process.stdout, (lines) => output.write(lines));
  return worker;
}
