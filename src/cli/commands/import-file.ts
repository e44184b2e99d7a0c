import { type Command, Option } from "commander";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import { collect } from "./options.js";

interface Options {
  readonly format: "csv" | "jsonl" | undefined;
  readonly map: readonly string[];
  readonly set: readonly string[];
  readonly failures: string | undefined;
  readonly dryRun?: boolean;
  readonly endpoint: string | undefined;
  readonly tokenFile: string | undefined;
}

/** `latchkey import-file`. */
export function addImportFileCommand(program: Command, context: CommandContext): void {
  program
    .command("import-file")
    .description(
      "import the keys of a CSV or JSON lines file into a service; the same command goes on after an interruption",
    )
    .argument("<file>", "rows with raw_key, name, actor_id; also scopes, ttl, metadata, metadata.NAME, allowed_cidrs")
    .addOption(new Option("--format <format>", "when the name of the file does not tell").choices(["csv", "jsonl"]))
    .option("--map <field=column>", "the column of a field that has another name; repeatable", collect, [])
    .option("--set <field=value>", "the value of a field where a row has none; repeatable", collect, [])
    .option(
      "--failures <file>",
      "a new file for what is refused, to be imported again; <file>.failures.jsonl when absent",
    )
    .option("--dry-run", "read the file, say what is wrong with it, and send nothing")
    .option("--endpoint <url>", "http:// or https:// address of the service; LATCHKEY_ENDPOINT when absent")
    .option("--token-file <file>", "holds the admin token; LATCHKEY_TOKEN when absent")
    .action((file: string, { dryRun = false, ...options }: Options) =>
      runCommand(context, async () => {
        const { runImportFile } = await import("../run-import-file.js");
        await runImportFile({ ...options, file, isDryRun: dryRun, env: context.env }, context.stderr);
        return undefined;
      }),
    );
}
