import { type DestinationStream, pino } from "pino";

const STDOUT = 1;
/** Lines are handed on when there are so many characters of them, or after so long. */
const BATCH_CHARACTERS = 65_536;
const MAX_DELAY_MS = 100;

/**
 * Standard output for log lines, in batches: to write them one by one costs as much as the calls that they are about. What is
 * left is written when the process exits, or says a fatal line.
 */
export class LineBuffer implements DestinationStream {
  readonly #output = pino.destination({ dest: STDOUT, sync: false });
  #lines = "";
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    process.once("exit", () => this.flushSync());
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BATCH_CHARACTERS) this.#handOn();
    else this.#timer ??= setTimeout(() => this.#handOn(), MAX_DELAY_MS).unref();
  }

  /** As pino asks for after a fatal line. */
  flushSync(): void {
    this.#handOn();
    this.#output.flushSync();
  }

  #handOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === "") return;
    this.#output.write(this.#lines);
    this.#lines = "";
  }
}
