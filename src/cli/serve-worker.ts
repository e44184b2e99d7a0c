import type { Worker } from "node:cluster";
import type { Config } from "../config/config.js";
import { createLogger } from "../telemetry/logger.js";
import { endAtOnce, endOnDefect } from "./end-on-defect.js";
import type { HangUps } from "./hang-ups.js";
import { createReload, type Reread } from "./reload-secrets.js";
import { startService } from "./start-service.js";
import type { WorkerNews, WorkerOrder } from "./worker-pool.js";

/**
 * Runs the service as one of several processes on one port, until the primary (`serve-workers.ts`) says to drain, or SIGTERM or
 * SIGINT does; likewise it reads its secrets again, by message or SIGHUP. The primary speaks to people, decides when a drain has
 * taken too long, and says so when the terminal closed.
 */
export async function serveWorker(
  config: Config,
  reread: () => Reread,
  hangUps: HangUps,
  worker: Worker,
): Promise<void> {
  const logger = createLogger({ level: config.log.level, worker: worker.id });
  endOnDefect(logger);
  const told = new Promise<void>((resolve) => {
    worker.on("message", (order: WorkerOrder) => order.do === "drain" && resolve());
    // Not once: a terminal or an init system may send it to every process, and the primary tells us too.
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve());
  });
  const served = new Promise<number>((resolve) => {
    worker.on("message", (order: WorkerOrder) => order.do === "serve" && resolve(order.port));
  });
  worker.on("message", (order: WorkerOrder) => order.do === "reload" && hangUps.askForReload());
  // Without the primary there are no connections. As with a defect, not by `process.exit`, which is what Node would do.
  process.prependListener("disconnect", () => {
    if (!worker.exitedAfterDisconnect) endAtOnce();
  });

  worker.send({ is: "listening" } satisfies WorkerNews);
  const port = await Promise.race([served, told]);
  if (port !== undefined) {
    const service = await startService({ ...config, server: { ...config.server, port } }, logger);
    const reload = createReload(reread, logger);
    hangUps.onReload(() => void reload(service));
    worker.send({ is: "ready", url: service.url } satisfies WorkerNews);
    await told;
    logger.info("draining");
    await service.close();
    logger.info("stopped");
  }
  worker.disconnect();
}
