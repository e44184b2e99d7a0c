import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

export function addConfigCommand(program: Command, context: CommandContext): void {
  const config = program.command("config").description("look at the configuration");
  withConfigOption(config.command("check").description("say whether the configuration is right")).action(
    (options: ConfigOptions) =>
      runCommand(context, async () => {
        const { warnings } = await readConfig(options, context);
        writeWarnings(warnings, context);
        context.stdout.write("OK\n");
        return undefined;
      }),
  );
}
