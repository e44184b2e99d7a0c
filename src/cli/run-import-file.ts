import { createReadStream, readFileSync } from "node:fs";
import { extname } from "node:path";
import { type ImportReport, importFile } from "../transfer/import-file.js";
import { isImportField, type RowFormat, type RowOptions, readRows } from "../transfer/import-rows.js";
import { formatProgress } from "../transfer/progress-line.js";
import { TransferError } from "../transfer/transfer-error.js";
import type { Output } from "./program.js";
import { createImportSender } from "./send-imports.js";

const DEFAULT_ENDPOINT = "http://127.0.0.1:4420";
/** Problems that a dry run names. */
const SHOWN_PROBLEMS = 20;
const PROGRESS_INTERVAL_MS = 200;

export interface ImportFileCommand {
  readonly file: string;
  readonly format: RowFormat | undefined;
  /** `field=column` and `field=value`. */
  readonly map: readonly string[];
  readonly set: readonly string[];
  readonly failures: string | undefined;
  readonly isDryRun: boolean;
  readonly endpoint: string | undefined;
  readonly tokenFile: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Imports the keys of a file into a service. Rejects with TransferError, also when some keys were refused. */
export async function runImportFile(command: ImportFileCommand, stderr: Output & { isTTY?: boolean }): Promise<void> {
  const { file, failures = `${file}.failures.jsonl` } = command;
  const options = rowOptions(command);
  const rows = () => readRows(createReadStream(file), options);
  try {
    // Before anything is sent, so that a file that cannot be read to its end changes nothing.
    const checked = await checkRows(rows());
    if (command.isDryRun) {
      reportDryRun(checked, stderr);
      return;
    }
    const progress = createProgress(checked.rows, stderr);
    const send = createImportSender({ endpoint: endpointOf(command), token: tokenOf(command) });
    const { imported, failed, resumedAt } = await importFile({
      rows: rows(),
      failures,
      send,
      onProgress: progress.show,
    });
    progress.end();
    if (resumedAt > 0) stderr.write(`went on after ${resumedAt} rows of an earlier run\n`);
    stderr.write(`imported ${imported} keys\n`);
    if (failed === 0) return;
    throw new TransferError(
      `${failed} of ${checked.rows} rows were not imported: they are in ${failures}, which holds their keys`,
    );
  } catch (error) {
    if (error instanceof TransferError && error.constructor === TransferError) {
      throw new TransferError(`${file}: ${error.message}`);
    }
    throw error;
  }
}

interface CheckedRows {
  readonly rows: number;
  readonly problems: number;
  readonly shown: readonly string[];
}

async function checkRows(rows: ReturnType<typeof readRows>): Promise<CheckedRows> {
  const shown: string[] = [];
  let count = 0;
  let problems = 0;
  for await (const { line, problem } of rows) {
    count += 1;
    if (problem === undefined) continue;
    problems += 1;
    if (shown.length < SHOWN_PROBLEMS) shown.push(`line ${line}: ${problem}`);
  }
  return { rows: count, problems, shown };
}

function reportDryRun({ rows, problems, shown }: CheckedRows, stderr: Output): void {
  for (const line of shown) stderr.write(`${line}\n`);
  if (problems > shown.length) stderr.write(`and ${problems - shown.length} more\n`);
  stderr.write(`${rows} rows, ${rows - problems} to import, ${problems} that cannot be; nothing was sent\n`);
  if (problems > 0) throw new TransferError(`${problems} of ${rows} rows cannot be imported`);
}

function createProgress(total: number, stderr: Output & { isTTY?: boolean }) {
  const startMs = performance.now();
  let shownMs = Number.NEGATIVE_INFINITY;
  return {
    show({ rows, resumedAt }: ImportReport) {
      const nowMs = performance.now();
      if (stderr.isTTY !== true || nowMs - shownMs < PROGRESS_INTERVAL_MS) return;
      shownMs = nowMs;
      const line = formatProgress({ done: rows, total, doneNow: rows - resumedAt, elapsedMs: nowMs - startMs });
      stderr.write(`\r\x1b[K${line}`);
    },
    end() {
      if (stderr.isTTY === true) stderr.write("\r\x1b[K");
    },
  };
}

function rowOptions({ file, format, map, set }: ImportFileCommand): RowOptions {
  const extension = extname(file).toLowerCase();
  const guessed =
    extension === ".csv" ? "csv" : extension === ".jsonl" || extension === ".ndjson" ? "jsonl" : undefined;
  const known = format ?? guessed;
  if (known === undefined) throw new TransferError(`${file}: say --format csv or --format jsonl`);
  return { format: known, columns: parsePairs("--map", map), defaults: parsePairs("--set", set) };
}

function parsePairs(option: string, pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const [, field = "", value = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
      if (!isImportField(field) || value === "")
        throw new TransferError(`${option} ${pair}: must be FIELD=..., with a field of a key`);
      return [field, value];
    }),
  );
}

function endpointOf({ endpoint, env }: ImportFileCommand): string {
  const text = endpoint ?? env.LATCHKEY_ENDPOINT ?? DEFAULT_ENDPOINT;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TransferError(`the endpoint ${text} must be an http:// or https:// address`);
  }
  return text;
}

function tokenOf({ tokenFile, env }: ImportFileCommand): string | undefined {
  if (tokenFile !== undefined) return readFileSync(tokenFile, "utf8").trim();
  return env.LATCHKEY_TOKEN === undefined || env.LATCHKEY_TOKEN === "" ? undefined : env.LATCHKEY_TOKEN;
}
