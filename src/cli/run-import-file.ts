import { extname } from "node:path";
import { type ImportReport, importFile } from "../transfer/import-file.js";
import { type ImportRow, isImportField, type RowFormat, type RowOptions, readRows } from "../transfer/import-rows.js";
import { formatProgress } from "../transfer/progress-line.js";
import { readChunks } from "../transfer/read-chunks.js";
import { TransferError } from "../transfer/transfer-error.js";
import { asCallFailure, CallFailure, type Client } from "./client/client.js";
import { CommandFailure } from "./command-failure.js";
import { endAtOnce } from "./end-on-defect.js";
import { EXIT_CODE } from "./exit-code.js";
import type { Output } from "./program.js";
import { createImportSender } from "./send-imports.js";
import { takeStopSignals } from "./stop-signals.js";
import { withFileName } from "./with-file-name.js";

/** Problems that a check names. */
const SHOWN_PROBLEMS = 20;
const PROGRESS_INTERVAL_MS = 200;
const GOES_ON = "the same command goes on where this one ended";
const FORMATS: Readonly<Record<string, RowFormat>> = { ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl" };

export interface ImportFileOptions {
  readonly inputFormat?: RowFormat;
  /** `field=column`. */
  readonly map?: readonly string[];
  /** `field=value`. */
  readonly set?: readonly string[];
}

/** A file of keys. Its rows can be read more than once. */
export interface RowsFile {
  readonly path: string;
  readonly rows: () => AsyncIterable<ImportRow>;
}

export interface CheckedRows {
  readonly rows: number;
  readonly problems: number;
  /** The first problems. */
  readonly shown: readonly { readonly line: number; readonly problem: string }[];
}

/** Opens nothing yet. Throws CommandFailure for options that are wrong. */
export function rowsFile(path: string, options: ImportFileOptions): RowsFile {
  const rowOptions = readRowOptions(path, options);
  return { path, rows: () => readRows(readChunks(path), rowOptions) };
}

/** Reads the whole file, and sends nothing. Rejects with TransferError when it cannot be read to its end. */
export function checkRows(file: RowsFile): Promise<CheckedRows> {
  return withFileName(file.path, async () => {
    const shown: { line: number; problem: string }[] = [];
    let rows = 0;
    let problems = 0;
    for await (const { line, problem } of file.rows()) {
      rows += 1;
      if (problem === undefined) continue;
      problems += 1;
      if (shown.length < SHOWN_PROBLEMS) shown.push({ line, problem });
    }
    return { rows, problems, shown };
  });
}

export interface ImportRun {
  readonly client: Client;
  readonly total: number;
  /** File of what is refused. */
  readonly failures: string;
  /** Shows progress when it is a terminal. */
  readonly stderr: Output;
}

/** Imports the rows of a file, from where an earlier run of the same was interrupted. Rejects with TransferError, and as calls do. */
export function importRows(file: RowsFile, { client, total, failures, stderr }: ImportRun): Promise<ImportReport> {
  return withFileName(file.path, async () => {
    const progress = createProgress(total, stderr);
    const signal = takeInterrupt();
    try {
      const send = createImportSender(client);
      return await importFile({ rows: file.rows(), failures, send, signal, onProgress: progress.show });
    } catch (error) {
      throw explainEnd(error, failures, signal.aborted);
    } finally {
      progress.end();
    }
  });
}

/** Aborted by the first SIGINT or SIGTERM; the next one ends the process. */
function takeInterrupt(): AbortSignal {
  const interrupted = new AbortController();
  const { first, again } = takeStopSignals();
  void first.then(() => interrupted.abort());
  void again.then(endAtOnce);
  return interrupted.signal;
}

/** Where the same command goes on, and what has to be done before it can. */
function explainEnd(error: unknown, failures: string, isInterrupted: boolean): unknown {
  if (isInterrupted && error instanceof TransferError) return new TransferError(`${error.message}: ${GOES_ON}`);
  const { code, syscall } = error as NodeJS.ErrnoException;
  // The file of keys is read, and the service called, by others, who say themselves what they failed at.
  if (syscall !== undefined) {
    return new TransferError(`${failures}, or its .state file, cannot be written (${code}): ${GOES_ON}`);
  }
  const failure = asCallFailure(error);
  if (failure?.isUnreachable !== true) return error;
  return new CallFailure(`${failure.message}\n  ${GOES_ON}`, { isUnreachable: true });
}

function createProgress(total: number, stderr: Output) {
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

function readRowOptions(path: string, { inputFormat, map = [], set = [] }: ImportFileOptions): RowOptions {
  const format = inputFormat ?? FORMATS[extname(path).toLowerCase()];
  if (format === undefined) {
    throw new CommandFailure(`${path}: say --input-format csv or --input-format jsonl`, EXIT_CODE.usage);
  }
  const defaults = parsePairs("--set", set);
  if (defaults.has("raw_key")) {
    throw new CommandFailure(
      "--set: a raw key is no word of the command line, where others can see it",
      EXIT_CODE.usage,
    );
  }
  return { format, columns: parsePairs("--map", map), defaults };
}

function parsePairs(option: string, pairs: readonly string[]): Map<string, string> {
  const parsed = new Map<string, string>();
  for (const pair of pairs) {
    const [, field = "", value = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    if (!isImportField(field) || value === "") {
      throw new CommandFailure(`${option} ${pair}: must be FIELD=..., with a field of a key`, EXIT_CODE.usage);
    }
    if (parsed.has(field)) throw new CommandFailure(`${option}: ${field} is there twice`, EXIT_CODE.usage);
    parsed.set(field, value);
  }
  return parsed;
}
