import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

/** `latchkey backup`. */
export function addBackupCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("backup")
    .description("copy the embedded store, while services use it")
    .argument("<directory>", "a new directory, which only you can read");
  withConfigOption(command).action((directory: string, options: ConfigOptions) =>
    runCommand(context, async () => {
      const { config, warnings } = await readConfig(options, context);
      writeWarnings(warnings, context);
      const { runBackup } = await import("../run-backup.js");
      await runBackup(config, directory, context.stderr);
      return undefined;
    }),
  );
}
