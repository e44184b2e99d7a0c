import { write, writeSync } from "node:fs";
import type { DestinationStream } from "pino";

const STDOUT = 1;
/** Lines are handed on when there are so many characters of them, or after so long. */
const BATCH_CHARACTERS = 65_536;
const MAX_DELAY_MS = 100;
/** What may wait for an output that takes nothing: seconds of a busy service. What comes then is dropped. */
const MAX_WAITING_CHARACTERS = 67_108_864;
/**
 * An output that is full for the moment is tried again after so long (a pipe takes 64 KiB each time); before the process ends,
 * for so long without progress.
 */
const RETRY_DELAY_MS = 2;
const MAX_FLUSH_STALL_MS = 1_000;
const LINE_FEED = "\n".charCodeAt(0);

/**
 * Standard output for log lines, in batches: to write them one by one costs as much as the calls that they are about. What is
 * left is written when the process exits, or says a fatal line.
 *
 * An output that fails (a full disk, a reader or a terminal that is gone) neither ends the process nor holds it up: what it
 * did not take is dropped, and the next batch is tried.
 */
export class LineBuffer implements DestinationStream {
  #lines = "";
  #timer: NodeJS.Timeout | undefined;
  /** What is left of the batch that was handed on. */
  #batch: Buffer | undefined;
  /** Whether the system has the batch, so that it may be written even though the process ends. */
  #isBeingWritten = false;
  /** Whether the output failed within a line. */
  #isMidLine = false;

  constructor() {
    // First of all: a later listener may end the process.
    process.prependOnceListener("exit", () => this.flushSync());
  }

  write(line: string): void {
    if (this.#lines.length + line.length > MAX_WAITING_CHARACTERS) return;
    this.#lines += line;
    if (this.#lines.length >= BATCH_CHARACTERS) this.#handOn();
    else this.#timer ??= setTimeout(() => this.#handOn(), MAX_DELAY_MS).unref();
  }

  /** As pino asks for after a fatal line. What is handed on now would not be written any more when the process ends. */
  flushSync(): void {
    if (this.#batch !== undefined && !this.#isBeingWritten) {
      this.#writeSync(this.#batch);
      this.#batch = undefined;
    }
    const lines = this.#take();
    if (lines !== undefined) this.#writeSync(lines);
  }

  #handOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch !== undefined) return;
    this.#batch = this.#take();
    this.#writeBatch();
  }

  #writeBatch(): void {
    if (this.#batch === undefined) return;
    this.#isBeingWritten = true;
    write(STDOUT, this.#batch, (error, bytes) => {
      this.#isBeingWritten = false;
      if (error !== null && isForTheMoment(error)) {
        setTimeout(() => this.#writeBatch(), RETRY_DELAY_MS).unref();
        return;
      }
      this.#batch = error === null && this.#batch !== undefined ? this.#restOf(this.#batch, bytes) : undefined;
      if (this.#batch !== undefined) this.#writeBatch();
      else if (this.#timer === undefined) this.#handOn(); // there was a time, or lines enough, meanwhile
    });
  }

  #writeSync(bytes: Buffer): void {
    let rest: Buffer | undefined = bytes;
    let stalledMs = 0;
    while (rest !== undefined && stalledMs < MAX_FLUSH_STALL_MS) {
      try {
        rest = this.#restOf(rest, writeSync(STDOUT, rest));
        stalledMs = 0;
      } catch (error) {
        if (!isForTheMoment(error as NodeJS.ErrnoException)) return;
        blockFor(RETRY_DELAY_MS);
        stalledMs += RETRY_DELAY_MS;
      }
    }
  }

  /** What the output did not take yet of these bytes. */
  #restOf(bytes: Buffer, written: number): Buffer | undefined {
    if (written > 0) this.#isMidLine = bytes[written - 1] !== LINE_FEED;
    return written < bytes.length ? bytes.subarray(written) : undefined;
  }

  /** The lines that wait. A part of a line that is out already is not to spoil the next one. */
  #take(): Buffer | undefined {
    const lines = this.#lines;
    this.#lines = "";
    return lines === "" ? undefined : Buffer.from(this.#isMidLine ? `\n${lines}` : lines);
  }
}

function isForTheMoment({ code }: NodeJS.ErrnoException): boolean {
  return code === "EAGAIN" || code === "EBUSY";
}

function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
