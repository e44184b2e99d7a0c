import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import { LineBuffer } from "./line-buffer.js";

/** What the service logs through; passed in where it is needed. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** A pino level, or `silent`. */
  readonly level: string;
  /** Where the lines go; standard output when absent. */
  readonly destination?: DestinationStream;
  /** Of a worker, one of several processes that log to one place: every line says its number. */
  readonly worker?: number;
}

/** Names under which a secret could get into a line. */
const SECRET_NAMES = [
  "authorization",
  "cookie",
  "credential",
  "credentials",
  "password",
  "pepper",
  "raw_key",
  "rawKey",
  "secret",
  "token",
  "uri",
];

/** Where they are looked for, besides the line itself. No wildcards: they make a line twenty times slower. */
const PLACES = [
  "body",
  "err",
  "err.cause",
  "headers",
  "message",
  "metadata",
  "req.headers",
  "request",
  "response",
  "trailers",
];

/**
 * A logger of JSON lines with times in ISO 8601 and levels by name.
 *
 * Secrets are kept out of logs by not logging messages and headers at all. That the fields named like a secret are
 * replaced by `[redacted]` here is the second line of defence.
 */
export function createLogger({ level, destination = new LineBuffer(), worker }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [...SECRET_NAMES, ...PLACES.flatMap((place) => SECRET_NAMES.map((name) => `${place}.${name}`))],
        censor: "[redacted]",
      },
    },
    destination,
  );
}
