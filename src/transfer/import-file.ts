import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { constants, type FileHandle, open, rm } from "node:fs/promises";
import type { ImportRow, RequestJson } from "./import-rows.js";
import { FIRST_STATE, type ImportState, readState, writeState } from "./import-state.js";
import { TransferError } from "./transfer-error.js";

const BATCH_ROWS = 1_000;
/** Of JSON. The service takes 4 MiB, but what stands before it may take no more than 1 MiB of bytes, up to three for each. */
const BATCH_CHARACTERS = 256 * 1024;
const BATCHES_AT_ONCE = 4;
const REQUEST_ID_CHARACTERS = 32;
const PRIVATE_FILE_MODE = 0o600;

/** Why a request was refused; `undefined`: its key is imported. */
export type Outcome = string | undefined;

/** Imports a batch; as many outcomes as requests, in their order. May be asked again for what it has imported. */
export type SendBatch = (requests: readonly RequestJson[]) => Promise<readonly Outcome[]>;

export interface ImportFileOptions {
  /** All rows of the file, from the first. */
  readonly rows: AsyncIterable<ImportRow>;
  /** File of what fails. How far the import has come is beside it, in a file whose name ends in `.state`. */
  readonly failures: string;
  readonly send: SendBatch;
  /** Ends the import when what is under way is done, as an interruption that can be gone on from. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((report: ImportReport) => void) | undefined;
}

export interface ImportReport {
  readonly rows: number;
  readonly imported: number;
  readonly failed: number;
  /** Rows that an earlier run has done. */
  readonly resumedAt: number;
}

interface Batch {
  readonly rows: ImportRow[];
  /** Of all rows up to the last of them. */
  digest: string;
  characters: number;
}

/**
 * Imports the rows of a file, some batches at a time, and remembers durably after each how far it has come; so that after an
 * interruption the same call goes on there. Each request has an id made from the row: a batch that is sent twice imports once.
 * What fails is appended to the file of failures, which can be imported as JSON lines. Throws TransferError.
 */
export async function importFile({
  rows,
  failures,
  send,
  signal,
  onProgress,
}: ImportFileOptions): Promise<ImportReport> {
  const statePath = `${failures}.state`;
  const before = await readState(statePath);
  if (before === undefined && existsSync(failures)) {
    throw new TransferError(`${failures} is there already; nothing is overwritten`);
  }
  let state: ImportState = before ?? { ...FIRST_STATE, digest: "" };
  const resumedAt = state.rows;
  const report = () => ({ rows: state.rows, imported: state.imported, failed: state.failed, resumedAt });

  const file = await open(failures, openFlags(before), PRIVATE_FILE_MODE);
  try {
    await file.truncate(state.failures_bytes); // what was written after the last state comes again
    if (before === undefined) await writeState(statePath, state);
    const underWay: { readonly batch: Batch; readonly outcomes: Promise<readonly Outcome[]> }[] = [];
    const finishFirst = async () => {
      const first = underWay.shift();
      if (first === undefined) return;
      state = await settle(file, state, first.batch, await first.outcomes);
      await writeState(statePath, state);
      onProgress?.(report());
    };
    let isInterrupted = false;
    for await (const batch of batchesOf(rows, state)) {
      isInterrupted = signal?.aborted === true;
      if (isInterrupted) break;
      const outcomes = sendRows(send, batch.rows);
      outcomes.catch(() => {}); // told to whoever waits for it, maybe later
      underWay.push({ batch, outcomes });
      if (underWay.length === BATCHES_AT_ONCE) await finishFirst();
    }
    while (underWay.length > 0) await finishFirst();
    if (isInterrupted) throw new TransferError(`interrupted when ${state.rows} rows were done`);
  } catch (error) {
    // Nothing is to be gone on with, so nothing is left behind.
    if (state.rows === 0) await Promise.all([failures, statePath].map((path) => rm(path, { force: true })));
    throw error;
  } finally {
    await file.close();
  }
  if (state.failed === 0) await rm(failures);
  await rm(statePath);
  return report();
}

/** A run that ends removes both files, an empty one of failures first: its end may have been interrupted in between. */
function openFlags(before: ImportState | undefined): string | number {
  if (before === undefined) return "wx";
  return before.failures_bytes === 0 ? constants.O_RDWR | constants.O_CREAT : "r+";
}

/** The rows after those that are done. Throws TransferError when these are not the rows that were done. */
async function* batchesOf(rows: AsyncIterable<ImportRow>, state: ImportState): AsyncGenerator<Batch> {
  const hash = createHash("sha256");
  const digest = () => hash.copy().digest("hex");
  const refuseOther = () => {
    throw new TransferError(
      "the file is not the one that this import began with: go on with that, or remove the .state file",
    );
  };
  let count = 0;
  let batch: Batch = { rows: [], digest: "", characters: 0 };
  for await (const row of rows) {
    const text = JSON.stringify(row.request);
    hash.update(text).update("\n");
    count += 1;
    if (count === state.rows && digest() !== state.digest) refuseOther();
    if (count <= state.rows) continue;
    batch.rows.push(row);
    batch.characters += text.length;
    if (batch.rows.length < BATCH_ROWS && batch.characters < BATCH_CHARACTERS) continue;
    yield { ...batch, digest: digest() };
    batch = { rows: [], digest: "", characters: 0 };
  }
  if (count < state.rows) refuseOther();
  if (batch.rows.length > 0) yield { ...batch, digest: digest() };
}

async function sendRows(send: SendBatch, rows: readonly ImportRow[]): Promise<readonly Outcome[]> {
  const requests = rows.filter(({ problem }) => problem === undefined).map(({ request }) => withRequestId(request));
  const answers = requests.length === 0 ? [] : await send(requests);
  if (answers.length !== requests.length) throw new TransferError("the service answered another number of results");
  let at = 0;
  return rows.map(({ problem }) => {
    if (problem !== undefined) return problem;
    at += 1;
    return answers[at - 1];
  });
}

function withRequestId(request: RequestJson): RequestJson {
  const hash = createHash("sha256").update(JSON.stringify(request)).digest("base64url");
  return { ...request, request_id: hash.slice(0, REQUEST_ID_CHARACTERS) };
}

async function settle(
  file: FileHandle,
  state: ImportState,
  { rows, digest }: Batch,
  outcomes: readonly Outcome[],
): Promise<ImportState> {
  const lines = rows.flatMap(({ request, line }, index) => {
    const error = outcomes[index];
    return error === undefined ? [] : [`${JSON.stringify({ ...request, _line: line, _error: error })}\n`];
  });
  const bytes = Buffer.from(lines.join(""));
  if (bytes.length > 0) {
    await writeAll(file, bytes, state.failures_bytes);
    await file.sync();
  }
  return {
    ...state,
    rows: state.rows + rows.length,
    imported: state.imported + rows.length - lines.length,
    failed: state.failed + lines.length,
    failures_bytes: state.failures_bytes + bytes.length,
    digest,
  };
}

/** A write takes less than it is given where a disk is nearly full; the next one says so. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}
