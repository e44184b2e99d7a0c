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

  /** As pino asks for after a fatal line. What is handed on now would not be written any more when the process ends. */
  flushSync(): void {
    this.#output.flushSync();
    const lines = this.#take();
    if (lines !== "") pino.destination({ dest: STDOUT, sync: true }).write(lines);
  }

  #handOn(): void {
    const lines = this.#take();
    if (lines !== "") this.#output.write(lines);
  }

  #take(): string {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    return lines;
  }
}
