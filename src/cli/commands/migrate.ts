import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

export function addMigrateCommands(program: Command, context: CommandContext): void {
  const migrate = program.command("migrate").description("bring the store's schema up to date");
  const migrations = [
    { name: "up", description: "apply what is pending", run: context.migrateUp },
    { name: "status", description: "say what is applied, and what is pending", run: context.migrateStatus },
  ];
  for (const { name, description, run } of migrations) {
    withConfigOption(migrate.command(name).description(description)).action((options: ConfigOptions) =>
      runCommand(context, async () => {
        const { config, warnings } = await readConfig(options, context);
        writeWarnings(warnings, context);
        await run(config);
        return undefined;
      }),
    );
  }
}
