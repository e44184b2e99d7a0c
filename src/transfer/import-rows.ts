/**
 * The rows of a file of keys, as requests of AdminImportApiKey in the names of its JSON.
 *
 * CSV (RFC 4180) has a first line of column names. JSON lines have a request each; members that begin with "_" are notes, which
 * the file of failures has. Both are UTF-8, with or without a byte order mark.
 */
import { pipeline, Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { splitLines } from "./split-lines.js";
import { TransferError } from "./transfer-error.js";

/** Longer than any request that the service takes. */
const MAX_ROW_BYTES = 256 * 1024;

export type RowFormat = "csv" | "jsonl";

export interface RowOptions {
  readonly format: RowFormat;
  /** Field -> the column or member that it is in. Others are in the one of their own name. */
  readonly columns: ReadonlyMap<string, string>;
  /** Field -> its value where a row has none. */
  readonly defaults: ReadonlyMap<string, string>;
}

export type RequestJson = Readonly<Record<string, unknown>>;

export interface ImportRow {
  /** Where it ends in the file, from 1. */
  readonly line: number;
  /** For the file of failures. Its raw key is a secret. */
  readonly request: RequestJson;
  /** Why it need not be sent. */
  readonly problem?: string | undefined;
}

const REQUIRED = ["raw_key", "name", "actor_id"];
const TEXTS = [...REQUIRED, "ttl"];
/** Of words between spaces or commas. */
const LISTS = ["scopes"];
/** Of JSON. */
const OBJECTS = ["metadata", "rate_limit_policy", "ip_restriction"];
const METADATA = "metadata.";
const CIDRS = "allowed_cidrs";

export function isImportField(name: string): boolean {
  return [...TEXTS, ...LISTS, ...OBJECTS, CIDRS].includes(name) || (name.startsWith(METADATA) && name !== METADATA);
}

/** Throws TransferError when the file as a whole cannot be read: no UTF-8, quotes that do not match, columns that are missing. */
export async function* readRows(chunks: AsyncIterable<Buffer>, options: RowOptions): AsyncGenerator<ImportRow> {
  yield* options.format === "csv" ? readCsv(decode(chunks), options) : readJsonLines(decode(chunks), options);
}

async function* readCsv(texts: AsyncIterable<string>, options: RowOptions): AsyncGenerator<ImportRow> {
  const parser = parse({
    info: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
  });
  pipeline(Readable.from(texts), parser, () => {}); // an error ends the loop below
  let columns: readonly (string | undefined)[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (columns === undefined) columns = fieldsOfColumns(record, options);
      else yield rowFromCells(record, columns, info.lines, options);
    }
  } catch (error) {
    throw error instanceof CsvError ? csvProblem(error) : error;
  }
  if (columns === undefined) throw new TransferError("the file is empty: its first line has to name the columns");
}

/** The field of each column; `undefined`: of none. */
function fieldsOfColumns(names: readonly string[], { columns, defaults }: RowOptions): (string | undefined)[] {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new TransferError(`two columns are named ${JSON.stringify(repeated)}`);
  const missing = [...columns].find(([, column]) => !names.includes(column));
  if (missing !== undefined) throw new TransferError(`there is no column ${JSON.stringify(missing[1])}`);
  const byColumn = new Map([...columns].map(([field, column]) => [column, field]));
  const fields = names.map((name) => {
    return byColumn.get(name) ?? (isImportField(name) && !columns.has(name) ? name : undefined);
  });
  const absent = REQUIRED.find((field) => !fields.includes(field) && !defaults.has(field));
  if (absent === undefined) return fields;
  // A raw key is no word of a command line.
  const value = absent === "raw_key" ? "" : `, or a value by --set ${absent}=VALUE`;
  throw new TransferError(`no column has ${absent}: name one by --map ${absent}=COLUMN${value}`);
}

function rowFromCells(
  cells: readonly string[],
  columns: readonly (string | undefined)[],
  line: number,
  { defaults }: RowOptions,
): ImportRow {
  const values = new Map(defaults);
  for (const [index, field] of columns.entries()) {
    const cell = cells[index];
    if (field !== undefined && cell !== undefined && cell !== "") values.set(field, cell);
  }
  const request: Record<string, unknown> = {};
  let problem: string | undefined;
  for (const [field, text] of values) problem ??= setField(request, field, text);
  if (cells.length !== columns.length) problem = `has ${cells.length} cells, not ${columns.length}`;
  return { line, request, problem: problem ?? findMissing(request) };
}

/** Answers what is wrong with the text. */
function setField(request: Record<string, unknown>, field: string, text: string): string | undefined {
  const words = () => text.split(/[\s,]+/).filter((word) => word !== "");
  if (field.startsWith(METADATA)) {
    const metadata = (request.metadata ?? {}) as object;
    request.metadata = { ...metadata, [field.slice(METADATA.length)]: text };
  } else if (field === CIDRS) request.ip_restriction = { allowed_cidrs: words() };
  else if (LISTS.includes(field)) request[field] = words();
  else if (OBJECTS.includes(field)) {
    const value = parseObject(text);
    if (value === undefined) return `${field}: must be a JSON object`;
    request[field] = field === "metadata" ? { ...value, ...(request.metadata as object | undefined) } : value;
  } else request[field] = text;
  return undefined;
}

async function* readJsonLines(texts: AsyncIterable<string>, options: RowOptions): AsyncGenerator<ImportRow> {
  const bytes = Readable.from(texts).map((text: string) => Buffer.from(text)) as AsyncIterable<Buffer>;
  for await (const { number, bytes: line } of splitLines(bytes, MAX_ROW_BYTES)) {
    const text = line.toString("utf8").trim();
    if (text === "") continue;
    const value = parseObject(text);
    yield value === undefined
      ? { line: number, request: { _raw: text }, problem: "must be a JSON object" }
      : rowFromObject(value, number, options);
  }
}

function rowFromObject(value: RequestJson, line: number, { columns, defaults }: RowOptions): ImportRow {
  const byMember = new Map([...columns].map(([field, member]) => [member, field]));
  const members = Object.entries(value).filter(([name]) => !name.startsWith("_") || name === "_raw");
  const request: Record<string, unknown> = Object.fromEntries(
    members.map(([name, member]) => [byMember.get(name) ?? name, member]),
  );
  let problem: string | undefined;
  for (const [field, text] of defaults) if (request[field] === undefined) problem ??= setField(request, field, text);
  return { line, request, problem: problem ?? findMissing(request) };
}

function findMissing(request: RequestJson): string | undefined {
  const missing = REQUIRED.find((field) => request[field] === undefined || request[field] === "");
  return missing === undefined ? undefined : `${missing}: is required`;
}

function parseObject(text: string): RequestJson | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as RequestJson) : undefined;
  } catch {
    return undefined;
  }
}

/** Without the parser's own words: they may quote a raw key. */
function csvProblem({ code, lines }: CsvError): TransferError {
  const where = typeof lines === "number" ? `line ${lines}: ` : "";
  if (code === "CSV_QUOTE_NOT_CLOSED") return new TransferError(`${where}a quote is never closed`);
  if (code === "CSV_MAX_RECORD_SIZE") {
    return new TransferError(`${where}a row is longer than ${MAX_ROW_BYTES} bytes; a quote may not be closed`);
  }
  return new TransferError(
    `${where}a quote is in the wrong place: a cell with quotes is in quotes, and each in it is doubled`,
  );
}

async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    const isInvalid = (error as NodeJS.ErrnoException).code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    if (isInvalid) throw new TransferError("the file is not UTF-8");
    throw error;
  }
}
