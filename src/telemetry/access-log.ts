import { pino } from "pino";
import type { Logger } from "./logger.js";

/** What a line of the access log says of a call; what is `undefined` is left out. */
export interface AccessEntry {
  readonly request_id: string;
  readonly protocol: string;
  readonly method: string | undefined;
  readonly code: string;
  readonly reason: string | undefined;
  /** Name of the token, never the token. */
  readonly caller: string | undefined;
  readonly peer: string | undefined;
  readonly duration_ms: number;
}

export type LogAccess = (entry: AccessEntry) => void;

const LEVEL = "info";

/**
 * The access log, in between the other lines of `logger`. A line for every call is worth a way of its own: these fields hold no
 * secret, so the line is made in one piece, which costs a tenth of what pino's own way does.
 */
export function createAccessLog(logger: Logger): LogAccess {
  if (!logger.isLevelEnabled(LEVEL)) return () => undefined;
  const { [pino.symbols.streamSym]: stream } = logger as Logger & Record<symbol, { write(line: string): void }>;
  const base = formatFields(logger.bindings());
  const now = createClock();
  const quote = createQuote();
  return (entry) => {
    stream?.write(formatLine(now(), base, quote, entry));
  };
}

/** Ids, addresses, codes and names of protocols need no quoting: none of them can hold a character that JSON escapes. */
function formatLine(time: string, base: string, quote: (text: string) => string, entry: AccessEntry): string {
  const { request_id, protocol, method, code, reason, caller, peer, duration_ms } = entry;
  const call = `"request_id":"${request_id}","protocol":"${protocol}"${method === undefined ? "" : `,"method":${quote(method)}`}`;
  const outcome = `"code":"${code}"${reason === undefined ? "" : `,"reason":"${reason}"`}`;
  const from = `${caller === undefined ? "" : `,"caller":${quote(caller)}`}${peer === undefined ? "" : `,"peer":"${peer}"`}`;
  return `{"level":"${LEVEL}","time":"${time}"${base},${call},${outcome}${from},"duration_ms":${duration_ms},"msg":"call"}\n`;
}

/** What every line of the logger says, as it stands in a line: empty, or with a comma in front. */
function formatFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join("");
}

/** JSON strings of names, of which there are few: those of methods, and of the tokens that are configured. */
function createQuote(): (name: string) => string {
  const quoted = new Map<string, string>();
  return (name) => {
    const known = quoted.get(name);
    if (known !== undefined) return known;
    const text = JSON.stringify(name);
    quoted.set(name, text);
    return text;
  };
}

/** The time in ISO 8601, written anew once a millisecond. */
function createClock(): () => string {
  let writtenMs = 0;
  let text = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== writtenMs) {
      writtenMs = nowMs;
      text = new Date(nowMs).toISOString();
    }
    return text;
  };
}
