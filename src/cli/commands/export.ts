import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

interface ExportOptions extends ConfigOptions {
  readonly follow?: boolean;
}

/** `latchkey export`. */
export function addExportCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("export")
    .description("write every key into a file, for latchkey restore")
    .argument("<file>", "a new file, which only you can read; - for stdout")
    .option("--follow", "go on with what is changed, until SIGINT or SIGTERM says that nothing is any more");
  withConfigOption(command).action((file: string, options: ExportOptions) =>
    runCommand(context, async () => {
      const { config, warnings } = await readConfig(options, context);
      writeWarnings(warnings, context);
      const { runExport } = await import("../run-export.js");
      await runExport(config, { file, isFollowing: options.follow === true }, context.stderr);
      return undefined;
    }),
  );
}
