import { once } from "node:events";
import type { Config } from "../config/config.js";
import type { Secrets } from "../secrets/load-or-create-secrets.js";
import { createLogger } from "../telemetry/logger.js";
import { endOnDefect } from "./end-on-defect.js";
import { describeStore } from "./open-domain.js";
import type { Output } from "./program.js";
import { serveBanner } from "./serve-banner.js";
import { startService } from "./start-service.js";
import { readVersion } from "./version.js";

/** Runs the service until SIGTERM or SIGINT, then drains it. The log goes to stdout, what is for people to stderr. */
export async function serve(config: Config, warnings: readonly string[], stderr: Output): Promise<void> {
  const logger = createLogger({ level: config.log.level });
  for (const warning of warnings) logger.warn(warning);
  endOnDefect(logger);

  // Until then a signal ends the process, as it does by itself: a migration may take long, and a start leaves nothing half done.
  const service = await startService(config, logger);
  const stopped = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  logger.info({ url: service.url }, "ready");
  stderr.write(banner(config, service.url, service.secrets));

  await stopped;
  logger.info("draining");
  await service.close();
  logger.info("stopped");
}

/** What people are told when the service is ready. */
export function banner(config: Config, url: string, secrets: Secrets): string {
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
