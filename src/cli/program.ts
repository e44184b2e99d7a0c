import { Command } from "commander";
import type { Config } from "../config/config.js";
import { addBackupCommand } from "./commands/backup.js";
import { addCompletionCommand } from "./commands/completion.js";
import { addConfigCommand } from "./commands/config.js";
import { addExportCommand } from "./commands/export.js";
import { addHealthCommand } from "./commands/health.js";
import { addJwkCommands } from "./commands/jwk.js";
import { addKeysCommands } from "./commands/keys.js";
import { addMigrateCommands } from "./commands/migrate.js";
import { addRestoreCommand } from "./commands/restore.js";
import { addSecretsCommands } from "./commands/secrets.js";
import { addServeCommand } from "./commands/serve.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import type { HangUps } from "./hang-ups.js";
import type { Reread } from "./reload-secrets.js";
import type { RotatedSecret } from "./rotated-secrets.js";
import { readVersion } from "./version.js";

/** The part of a stream that commands write to. */
export interface Output {
  /** `done` is told why it could not be written. That people are told too is the matter of whoever made the stream. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  /** Whether people look at it. */
  readonly isTTY?: boolean;
  /** Of a terminal: its width in characters. */
  readonly columns?: number;
}

/** What commands read credentials from. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export interface ProgramContext {
  /**
   * Runs the service in so many processes until it is stopped. `warnings` are about the configuration, for its log;
   * `reread` reads the configuration again, at SIGHUP. A rejection ends the process with its message and exit code 1, or 3 for a
   * store that cannot be reached.
   */
  readonly serve: (
    config: Config,
    warnings: readonly string[],
    workers: number,
    reread: () => Reread,
    hangUps: HangUps,
  ) => Promise<void>;
  /** Apply the store's migrations, and say which it has. Rejections likewise. */
  readonly migrateUp: (config: Config) => Promise<void>;
  readonly migrateStatus: (config: Config) => Promise<void>;
  /** Make a new generated secret, and take away earlier ones. Rejections likewise. */
  readonly rotateSecret: (config: Config, name: RotatedSecret, overlapMs: number) => Promise<void>;
  readonly forgetSecrets: (config: Config, name: RotatedSecret, all: boolean) => Promise<void>;
  readonly env: NodeJS.ProcessEnv;
  /** A function, as to look at the process's standard input opens it. */
  readonly stdin: () => Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Ends the process; `process.exit` when absent. */
  readonly exit?: (code: ExitCode) => never;
}

/** What every command gets. */
export type CommandContext = Required<ProgramContext>;

/** The `latchkey` command. Exit codes: see `exit-code.ts`. What a command needs besides its options is loaded when it runs. */
export function buildProgram(programContext: ProgramContext): Command {
  const context: CommandContext = { exit: (code) => process.exit(code), ...programContext };
  const { stdout, stderr, exit } = context;

  const program = new Command("latchkey")
    .description("API key service: issues, verifies, rotates and revokes API keys")
    .version(readVersion())
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "latchkey: ")),
      getOutHelpWidth: () => stdout.columns ?? DEFAULT_WIDTH,
      getErrHelpWidth: () => stderr.columns ?? DEFAULT_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride(({ exitCode }) => exit(exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage));

  addServeCommand(program, context);
  addKeysCommands(program, context);
  addJwkCommands(program, context);
  addHealthCommand(program, context);
  addConfigCommand(program, context);
  addMigrateCommands(program, context);
  addSecretsCommands(program, context);
  addExportCommand(program, context);
  addRestoreCommand(program, context);
  addBackupCommand(program, context);
  addCompletionCommand(program, context);
  return program;
}

/** Characters in a line of help that goes to a file or a pipe. */
const DEFAULT_WIDTH = 80;
