import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

interface RestoreOptions extends ConfigOptions {
  readonly resume?: boolean;
}

/** `latchkey restore`. */
export function addRestoreCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("restore")
    .description("write the keys of an export into an empty store")
    .argument("<file>", "what latchkey export wrote")
    .option("--resume", "go on with an interrupted restore of the same export");
  withConfigOption(command).action((file: string, options: RestoreOptions) =>
    runCommand(context, async () => {
      const { config, warnings } = await readConfig(options, context);
      writeWarnings(warnings, context);
      const { runRestore } = await import("../run-restore.js");
      await runRestore(config, { file, isResumed: options.resume === true }, context.stderr);
      return undefined;
    }),
  );
}
