import { once } from "node:events";
import type { Config } from "../config/config.js";
import { createLogger } from "../telemetry/logger.js";
import type { Output } from "./program.js";
import { serveBanner } from "./serve-banner.js";
import { describeStore, type RunningService, startService } from "./start-service.js";
import { readVersion } from "./version.js";

/** Runs the service until SIGTERM or SIGINT, then drains it. The log goes to stdout, what is for people to stderr. */
export async function serve(config: Config, warnings: readonly string[], stderr: Output): Promise<void> {
  const logger = createLogger({ level: config.log.level });
  const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  for (const warning of warnings) logger.warn(warning);

  const service = await startService(config, logger);
  logger.info({ url: service.url }, "ready");
  stderr.write(banner(config, service));

  await stopped;
  logger.info("draining");
  await service.close();
  logger.info("stopped");
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
