import { once } from "node:events";
import type { Config } from "../config/config.js";
import { createLogger, type Logger } from "../telemetry/logger.js";
import { describeStore } from "./open-domain.js";
import type { Output } from "./program.js";
import { serveBanner } from "./serve-banner.js";
import { type RunningService, startService } from "./start-service.js";
import { readVersion } from "./version.js";

/** Runs the service until SIGTERM or SIGINT, then drains it. The log goes to stdout, what is for people to stderr. */
export async function serve(config: Config, warnings: readonly string[], stderr: Output): Promise<void> {
  const logger = createLogger({ level: config.log.level });
  const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  for (const warning of warnings) logger.warn(warning);
  endOnDefect(logger);

  const service = await startService(config, logger);
  logger.info({ url: service.url }, "ready");
  stderr.write(banner(config, service));

  await stopped;
  logger.info("draining");
  await service.close();
  logger.info("stopped");
}

/**
 * A defect that nobody caught ends the process, at once and by the kernel: `process.exit` would wait for a write of LMDB that
 * waits for this thread, with the lock that other processes need. What was acknowledged is durable.
 *
 * The first process of a container is spared by a SIGKILL of its own; an abort ends that one too.
 */
function endOnDefect(logger: Logger): void {
  const end = (err: unknown) => {
    logger.fatal({ err }, "a defect ends the process");
    process.kill(process.pid, "SIGKILL");
    process.abort();
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

function banner(config: Config, { url, secrets }: RunningService): string {
  const { files, directory } = secrets;
  const { auth } = config.admin;
  return serveBanner({
    version: readVersion(),
    url,
    store: describeStore(config),
    secrets: { directory, files: Object.values(files).filter((file) => file !== undefined) },
    admin:
      files.adminToken !== undefined ? { tokenFile: files.adminToken } : auth === "none" ? auth : "configured-token",
  });
}
