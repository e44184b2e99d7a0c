import { availableParallelism } from "node:os";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { settingsThatTakeARestart } from "../config/changed-settings.js";
import type { Config } from "../config/config.js";
import { parseDuration } from "../config/duration.js";
import { loadConfig } from "../config/load-config.js";
import { formatMistake } from "../config/mistake.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { failureText } from "./failure-text.js";
import type { Reread } from "./reload-secrets.js";
import { DEFAULT_OVERLAP_MS, ROTATED_SECRETS, type RotatedSecret } from "./secrets.js";
import { readVersion } from "./version.js";

/** The part of a stream that commands write to. */
export interface Output {
  write(text: string): unknown;
}

export interface ProgramContext {
  /**
   * Runs the service in so many processes until it is stopped. `warnings` are about the configuration, for its log;
   * `reread` reads the configuration again. A rejection ends the process with its message and exit code 1.
   */
  readonly serve: (config: Config, warnings: readonly string[], workers: number, reread: () => Reread) => Promise<void>;
  /** Apply the store's migrations, and say which it has. Rejections likewise. */
  readonly migrateUp: (config: Config) => Promise<void>;
  readonly migrateStatus: (config: Config) => Promise<void>;
  /** Make a new generated secret, and take away earlier ones. Rejections likewise. */
  readonly rotateSecret: (config: Config, name: RotatedSecret, overlapMs: number) => Promise<void>;
  readonly forgetSecrets: (config: Config, name: RotatedSecret, all: boolean) => Promise<void>;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Ends the process; `process.exit` when absent. */
  readonly exit?: (code: ExitCode) => never;
}

interface ConfigOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

interface ServeOptions extends ConfigOptions {
  readonly workers: number;
}

/** More would be a slip: each is a process with a store of its own open. */
const MAX_WORKERS = 256;
const MAX_OVERLAP_MS = 86_400_000;

/** The `latchkey` command. Exit codes: 0 ok, 1 failed or invalid, 2 a wrong command line. */
export function buildProgram(context: ProgramContext): Command {
  const { stdout, stderr, exit = (code: ExitCode) => process.exit(code) } = context;

  const program = new Command("latchkey")
    .description("API key service: issues, verifies, rotates and revokes API keys")
    .version(readVersion())
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .exitOverride(({ exitCode }) => exit(exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage));

  withConfigOption(program.command("serve").description("run the service"))
    .option("--workers <n>", "processes that share the port; auto: one for each core", parseWorkers, 1)
    .action(async (options: ServeOptions) => {
      const { config, values, warnings } = loadConfigOrExit(options);
      const reread = (): Reread => {
        const read = loadConfig({ file: options.config, env: context.env });
        if (read.config === undefined) return read;
        return { config: read.config, takeRestart: settingsThatTakeARestart(values, read.values) };
      };
      await orExit(context.serve(config, warnings, options.workers, reread));
    });

  const migrate = program.command("migrate").description("bring the store's schema up to date");
  const migrations = [
    { name: "up", description: "apply what is pending", run: context.migrateUp },
    { name: "status", description: "say what is applied, and what is pending", run: context.migrateStatus },
  ];
  for (const { name, description, run } of migrations) {
    withConfigOption(migrate.command(name).description(description)).action(async (options: ConfigOptions) => {
      const { config, warnings } = loadConfigOrExit(options);
      writeWarnings(warnings);
      await orExit(run(config));
    });
  }

  const secrets = program.command("secrets").description("change the generated secrets of a data directory");
  withSecretArgument(secrets.command("rotate").description("make a new secret, and retire the one before"))
    .addOption(
      new Option("--use-after <duration>", "when the new one is used; it is accepted before that")
        .argParser(parseOverlap)
        .default(DEFAULT_OVERLAP_MS, "10m"),
    )
    .action(async (name: RotatedSecret, options: ConfigOptions & { readonly useAfter: number }) => {
      await orExit(context.rotateSecret(loadConfigOrExit(options).config, name, options.useAfter));
    });
  withSecretArgument(secrets.command("forget").description("take away retired secrets that nothing good was made with"))
    .option("--all", "all but the newest: what was made with them is refused")
    .action(async (name: RotatedSecret, options: ConfigOptions & { readonly all?: boolean }) => {
      await orExit(context.forgetSecrets(loadConfigOrExit(options).config, name, options.all === true));
    });

  const configCommand = program.command("config").description("look at the configuration");
  withConfigOption(configCommand.command("check").description("say whether the configuration is right")).action(
    (options: ConfigOptions) => {
      const { warnings } = loadConfigOrExit(options);
      writeWarnings(warnings);
      stdout.write("OK\n");
    },
  );
  return program;

  async function orExit(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      stderr.write(`latchkey: ${failureText(error)}\n`);
      exit(EXIT_CODE.failed);
    }
  }

  function writeWarnings(warnings: readonly string[]): void {
    for (const warning of warnings) stderr.write(`latchkey: warning: ${warning}\n`);
  }

  function loadConfigOrExit({ config: file, dataDir }: ConfigOptions) {
    const { LATCHKEY_DATA_DIR_FILE: _, ...others } = context.env;
    const env = dataDir === undefined ? context.env : { ...others, LATCHKEY_DATA_DIR: dataDir };
    const { config, values, mistakes, warnings } = loadConfig({ file, env });
    if (config !== undefined) return { config, values, warnings };
    writeWarnings(warnings);
    stderr.write(
      `latchkey: the configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}\n`,
    );
    for (const mistake of mistakes) stderr.write(`  ${formatMistake(mistake)}\n`);
    return exit(EXIT_CODE.failed);
  }
}

function withConfigOption(command: Command): Command {
  return command.option("--config <file>", "YAML file with settings; LATCHKEY_* variables win over it");
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

function parseWorkers(text: string): number {
  if (text === "auto") return Math.min(availableParallelism(), MAX_WORKERS);
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > MAX_WORKERS) throw new InvalidArgumentError(`It must be 1 to ${MAX_WORKERS}, or auto.`);
  return workers;
}
