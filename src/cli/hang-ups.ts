import { isatty } from "node:tty";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/**
 * Takes SIGHUP from when it is made. It says one of two things: to read the secrets again, or that the terminal closed. What
 * is asked for before somebody can do it is not lost.
 */
export class HangUps {
  /** Resolves when SIGHUP says that the terminal closed: that is to stop, as SIGTERM is. */
  readonly terminalClosed: Promise<void>;
  /** Which of the standard streams are terminals. */
  readonly #terminals = [STDIN, STDOUT, STDERR].filter((stream) => isatty(stream));
  #reload: (() => void) | undefined;
  #isReloadDue = false;

  constructor() {
    let close = () => {};
    this.terminalClosed = new Promise((resolve) => {
      close = resolve;
    });
    process.on("SIGHUP", () => {
      if (this.#isFromTerminal()) close();
      else this.askForReload();
    });
    process.on("exit", () => {
      if (this.#isTerminalGone()) endByHangUp();
    });
  }

  /** Says what a reload is: from now on each SIGHUP does it, and it is done at once if there was one already. */
  onReload(reload: () => void): void {
    this.#reload = reload;
    if (this.#isReloadDue) reload();
    this.#isReloadDue = false;
  }

  /** As SIGHUP does, without a terminal. */
  askForReload(): void {
    if (this.#reload === undefined) this.#isReloadDue = true;
    else this.#reload();
  }

  /** A background job with its log in a file has the terminal as its input still, and is told to reload by hand, too. */
  #isFromTerminal(): boolean {
    return this.#terminals.some((stream) => stream !== STDIN) || this.#isTerminalGone();
  }

  #isTerminalGone(): boolean {
    return this.#terminals.some((stream) => !isatty(stream));
  }
}

/** Node would abort, as it cannot reset a terminal that is gone: with a core file, which has the secrets. */
function endByHangUp(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}
