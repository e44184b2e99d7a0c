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
  const now = createClock();
  return (entry) => {
    stream?.write(formatLine(now(), entry));
  };
}

function formatLine(time: string, entry: AccessEntry): string {
  const { request_id, protocol, method, code, reason, caller, peer, duration_ms } = entry;
  const about = `${field("method", method)},"code":"${code}"${field("reason", reason)}${field("caller", caller)}`;
  const from = `"request_id":${JSON.stringify(request_id)},"protocol":"${protocol}"`;
  return `{"level":"${LEVEL}","time":"${time}",${from}${about}${field("peer", peer)},"duration_ms":${duration_ms},"msg":"call"}\n`;
}

/** A member of the line, with its comma; nothing for what is not there. */
function field(name: string, value: string | undefined): string {
  return value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`;
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
