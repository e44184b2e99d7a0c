import type { JsonObject } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE, type ExitCode } from "../exit-code.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import type { CheckedRows, ImportFileOptions } from "../run-import-file.js";
import { showable } from "../showable.js";
import { type ClientOptions, collect, withClientOptions } from "./options.js";
import { withClient } from "./with-client.js";
import { writeAnswer } from "./write-answer.js";

interface Options extends ClientOptions, ImportFileOptions {
  readonly failures?: string;
  readonly dryRun?: boolean;
}

/** `latchkey keys import-file`. */
export function addImportFileCommand(keys: Command, context: CommandContext): void {
  const command = keys
    .command("import-file")
    .description("import the keys of a CSV or JSON lines file; the same command goes on after an interruption")
    .argument("<file>", "rows with raw_key, name, actor_id; also scopes, ttl, metadata, metadata.NAME, allowed_cidrs")
    .addOption(
      new Option("--input-format <format>", "when the name of the file does not tell").choices(["csv", "jsonl"]),
    )
    .option("--map <field=column>", "the column of a field that has another name; may be given several times", collect)
    .option("--set <field=value>", "the value of a field where a row has none; may be given several times", collect)
    .option(
      "--failures <file>",
      "a new file for what is refused, to be imported again; <file>.failures.jsonl when absent",
    )
    .option("--dry-run", "read the file, say what is wrong with it, and send nothing");
  withClientOptions(command).action((file: string, options: Options) =>
    runCommand(context, () => importFromFile(file, options, context)),
  );
}

async function importFromFile(path: string, options: Options, context: CommandContext): Promise<ExitCode> {
  const { rowsFile, checkRows, importRows } = await import("../run-import-file.js");
  const { dryRun, format, failures = `${path}.failures.jsonl` } = options;
  const file = rowsFile(path, options);
  // Before anything is sent, so that a file that cannot be read to its end changes nothing.
  const checked = await checkRows(file);
  const { rows } = checked;
  if (dryRun === true) {
    await writeAnswer(context, format, jsonFromCheck(checked), () => formatCheck(checked));
    if (checked.problems === 0) return EXIT_CODE.ok;
    throw new CommandFailure(`${path}: ${checked.problems} of ${rows} rows cannot be imported`);
  }
  const { stderr } = context;
  const report = await withClient(context, options, (client) =>
    importRows(file, { client, total: rows, failures, stderr }),
  );
  const { imported, failed, resumedAt } = report;
  if (resumedAt > 0) stderr.write(`went on after ${resumedAt} rows of an earlier run\n`);
  await writeAnswer(context, format, { rows, imported, failed }, () => `imported ${imported} keys\n`);
  if (failed === 0) return EXIT_CODE.ok;
  throw new CommandFailure(
    `${path}: ${failed} of ${rows} rows were not imported: they are in ${failures}, which holds their keys`,
  );
}

function jsonFromCheck({ rows, problems, shown }: CheckedRows): JsonObject {
  return { rows, problems, first_problems: shown.map(({ line, problem }) => ({ line, problem })) };
}

function formatCheck({ rows, problems, shown }: CheckedRows): string {
  const lines = shown.map(({ line, problem }) => `line ${line}: ${showable(problem)}\n`);
  const more = problems > shown.length ? [`and ${problems - shown.length} more\n`] : [];
  const sums = `${rows} rows, ${rows - problems} to import, ${problems} that cannot be; nothing was sent\n`;
  return [...lines, ...more, sums].join("");
}
