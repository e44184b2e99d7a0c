import type { Config } from "../config/config.js";
import { CommandFailure } from "./command-failure.js";
import type { CommandContext } from "./program.js";
import type { Reread } from "./reload-secrets.js";
import { showable } from "./showable.js";

export interface ConfigOptions {
  /** A YAML file. */
  readonly config?: string | undefined;
  /** `data_dir`, whatever the configuration says. */
  readonly dataDir?: string | undefined;
}

export interface ReadConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Reads it again, for SIGHUP. */
  readonly reread: () => Reread;
}

/** The configuration, and warnings about it. @throws CommandFailure that lists every mistake, after the warnings */
export async function readConfig(
  { config: file, dataDir }: ConfigOptions,
  context: CommandContext,
): Promise<ReadConfig> {
  // Reading a configuration takes longer to load than all of `--help`.
  const { loadConfig } = await import("../config/load-config.js");
  const { formatMistake } = await import("../config/mistake.js");
  const { settingsThatTakeARestart } = await import("../config/changed-settings.js");
  const { LATCHKEY_DATA_DIR_FILE: _, ...others } = context.env;
  const env = dataDir === undefined ? context.env : { ...others, LATCHKEY_DATA_DIR: dataDir };
  const { config, values, mistakes, warnings } = loadConfig({ file, env });
  const reread = (): Reread => {
    const read = loadConfig({ file, env });
    if (read.config === undefined || values === undefined) return read as Reread;
    return { config: read.config, takeRestart: settingsThatTakeARestart(values, read.values) };
  };
  if (config !== undefined) return { config, warnings, reread };
  writeWarnings(warnings, context);
  const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `\n  ${formatMistake(mistake)}`);
  throw new CommandFailure(`the configuration has ${count}${lines.join("")}`);
}

export function writeWarnings(warnings: readonly string[], { stderr }: CommandContext): void {
  for (const warning of warnings) stderr.write(`latchkey: warning: ${showable(warning)}\n`);
}
