import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { HangUps } from "../hang-ups.js";
import type { CommandContext } from "../program.js";
import { type ConfigOptions, readConfig } from "../read-config.js";
import { runCommand } from "../run-command.js";
import { withConfigOption } from "./options.js";

interface ServeOptions extends ConfigOptions {
  readonly workers: number;
}

/** More would be a slip: each is a process with a store of its own open. */
const MAX_WORKERS = 256;

export function addServeCommand(program: Command, context: CommandContext): void {
  withConfigOption(program.command("serve").description("run the service"))
    .option("--workers <n>", "processes that share the port; auto: one for each core", parseWorkers, 1)
    .action((options: ServeOptions) =>
      runCommand(context, async () => {
        // First of all: a signal that comes while the rest is loaded would end the process.
        const hangUps = new HangUps();
        const { config, warnings, reread } = await readConfig(options, context);
        await context.serve(config, warnings, options.workers, reread, hangUps);
        return undefined;
      }),
    );
}

function parseWorkers(text: string): number {
  if (text === "auto") return Math.min(availableParallelism(), MAX_WORKERS);
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > MAX_WORKERS) throw new InvalidArgumentError(`It must be 1 to ${MAX_WORKERS}, or auto.`);
  return workers;
}
