import { openDomain as open } from "../src/cli/open-domain.js";
import { loadConfig } from "../src/config/load-config.js";
import type { DomainContext } from "../src/domain/context.js";

/**
 * What the use cases need, on the data directory of a service that may run, by the default configuration, but for what `env` has.
 */
export async function openDomain(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<DomainContext> {
  const { config } = loadConfig({ env: { LATCHKEY_DATA_DIR: dataDir, ...env } });
  if (config === undefined) throw new Error("the configuration is refused");
  const onError = (error: unknown) => {
    throw error;
  };
  const { context } = await open(config, "upgrade", {
    onRefreshError: onError,
    onUsesNotWritten: onError,
    onFeedError: onError,
    onWarning: (message) => process.stderr.write(`${message}\n`),
  });
  return context;
}
