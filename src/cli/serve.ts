import type { Config } from "../config/config.js";
import type { Secrets } from "../secrets/load-or-create-secrets.js";
import { createLogger } from "../telemetry/logger.js";
import { endAtOnce, endOnDefect } from "./end-on-defect.js";
import type { HangUps } from "./hang-ups.js";
import { describeStore } from "./open-domain.js";
import type { Output } from "./program.js";
import { createReload, type Reread } from "./reload-secrets.js";
import { serveBanner } from "./serve-banner.js";
import { startService } from "./start-service.js";
import { takeStopSignals } from "./stop-signals.js";
import { readVersion } from "./version.js";

/**
 * Runs the service until SIGTERM or SIGINT, or until its terminal closes, then drains it; a second signal ends it. SIGHUP has it
 * read its secrets again, once it is up. The log goes to stdout, what is for people to stderr.
 */
export async function serve(
  config: Config,
  warnings: readonly string[],
  reread: () => Reread,
  hangUps: HangUps,
  stderr: Output,
): Promise<void> {
  const logger = createLogger({ level: config.log.level });
  const signals = takeStopSignals(hangUps);
  for (const warning of warnings) logger.warn(warning);
  endOnDefect(logger);

  const started = startService(config, logger);
  const service = await Promise.race([started, signals.first]);
  // A migration may take long, and a start that is cut short leaves nothing half done.
  if (service === undefined) return endAtOnce();
  logger.info({ url: service.url }, "ready");
  stderr.write(banner(config, service.url, service.secrets));
  const reload = createReload(reread, logger);
  hangUps.onReload(() => void reload(service));

  await signals.first;
  void signals.again.then(endAtOnce);
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
