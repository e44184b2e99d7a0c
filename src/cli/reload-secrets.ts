import type { Config } from "../config/config.js";
import { formatMistake, type Mistake } from "../config/mistake.js";
import type { SettingPath } from "../config/settings.js";
import { DataDirectoryError } from "../secrets/data-directory-error.js";
import { SigningKeysError } from "../secrets/signing-keys-error.js";
import type { Logger } from "../telemetry/logger.js";

/** The configuration read again: it, with the settings that changed and take a restart, or what is wrong with it. */
export type Reread =
  | { readonly config: Config; readonly takeRestart: readonly SettingPath[]; readonly mistakes?: undefined }
  | { readonly config?: undefined; readonly mistakes: readonly Mistake[] };

/** What may be replaced while the service runs. */
export interface Reloadable {
  /** Takes the secrets and admin tokens of another configuration. Rejects, and changes nothing, when one cannot be had. */
  reloadSecrets(config: Config): Promise<void>;
}

/**
 * A function that reads configuration and secrets again, for SIGHUP, and logs what came of it. Calls are answered meanwhile, and
 * a mistake leaves everything as it was. Called again before it ended, it reads once more after that.
 */
export function createReload(reread: () => Reread, logger: Logger): (service: Reloadable) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (service) => {
    last = last.then(() => reload(service, reread(), logger));
    return last;
  };
}

async function reload(service: Reloadable, read: Reread, logger: Logger): Promise<void> {
  if (read.config === undefined) {
    const mistakes = read.mistakes.map(formatMistake);
    logger.error({ mistakes }, "the configuration is wrong; everything stays as it was");
    return;
  }
  for (const setting of read.takeRestart) {
    logger.warn({ setting }, "a setting was changed that takes a restart; it stays as it was");
  }
  try {
    await service.reloadSecrets(read.config);
  } catch (error) {
    if (!(error instanceof DataDirectoryError || error instanceof SigningKeysError)) throw error;
    logger.error({ err: error }, "a secret cannot be read; everything stays as it was");
    return;
  }
  logger.info("the secrets were read again");
}
