import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../config/duration.js";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig, writeWarnings } from "../read-config.js";
import { DEFAULT_OVERLAP_MS, ROTATED_SECRETS, type RotatedSecret } from "../rotated-secrets.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

const MAX_OVERLAP_MS = 86_400_000;

interface RotateOptions extends ConfigOptions {
  readonly useAfter: number;
}

interface ForgetOptions extends ConfigOptions {
  readonly all?: boolean;
}

export function addSecretsCommands(program: Command, context: CommandContext): void {
  const secrets = program.command("secrets").description("change the generated secrets of a data directory");
  withSecretArgument(secrets.command("rotate").description("make a new secret, and retire the one before"))
    .addOption(
      new Option("--use-after <duration>", "when the new one is used; it is accepted before that")
        .argParser(parseOverlap)
        .default(DEFAULT_OVERLAP_MS, "10m"),
    )
    .action((name: RotatedSecret, options: RotateOptions) =>
      runCommand(context, async () => {
        const { config, warnings } = await readConfig(options, context);
        writeWarnings(warnings, context);
        await context.rotateSecret(config, name, options.useAfter);
        return undefined;
      }),
    );
  withSecretArgument(secrets.command("forget").description("take away retired secrets that nothing good was made with"))
    .option("--all", "all but the newest: what was made with them is refused")
    .action((name: RotatedSecret, options: ForgetOptions) =>
      runCommand(context, async () => {
        const { config, warnings } = await readConfig(options, context);
        writeWarnings(warnings, context);
        await context.forgetSecrets(config, name, options.all === true);
        return undefined;
      }),
    );
}

function withSecretArgument(command: Command): Command {
  return withConfigOption(command)
    .addArgument(new Argument("<secret>", "which one").choices(ROTATED_SECRETS))
    .option("--data-dir <directory>", "data_dir, whatever the configuration says");
}

function parseOverlap(text: string): number {
  const overlapMs = parseDuration(text);
  if (overlapMs === undefined || overlapMs > MAX_OVERLAP_MS) {
    throw new InvalidArgumentError("It must be a duration such as 0s, 10m or 1h, and at most 24h.");
  }
  return overlapMs;
}
