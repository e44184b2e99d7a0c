import type { Worker } from "node:cluster";
import type { Logger } from "../telemetry/logger.js";
import { CommandFailure } from "./command-failure.js";
import { EXIT_CODE } from "./exit-code.js";
import { restartDelayMs } from "./restart-delay.js";

/** What a worker is told once it listens: where to serve, then to read its secrets again, and to drain; or to drain at once. */
export type WorkerOrder =
  | { readonly do: "serve"; readonly port: number }
  | { readonly do: "reload" }
  | { readonly do: "drain" };

/** A worker that is not up yet ends by them, when a terminal or an init system sends them to every process. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"];

/** What a worker says: that it listens to orders (what it is told before, it does not hear), then where it serves. */
export type WorkerNews = { readonly is: "listening" } | { readonly is: "ready"; readonly url: string };

export interface WorkerPoolOptions {
  /** At least 1. */
  readonly count: number;
  /** Where to serve; not 0, for a worker that is started again would choose another. */
  readonly port: number;
  /** Starts a process that says `WorkerNews` and takes `WorkerOrder`s. */
  readonly fork: () => Worker;
  readonly logger: Logger;
}

/** The place of one worker, whichever process has it. */
interface Slot {
  worker?: Worker;
  /** Whether it was told where to serve. */
  isTold?: boolean;
  /** Whether it is to read its secrets again once it is told: it may have read them too early, and the log is to say that it did. */
  mustReload?: boolean;
  timer?: NodeJS.Timeout;
  delayMs?: number;
}

/** Keeps so many workers running: one that ends is started again, later each time it ends soon after. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly Slot[];
  #wasReady = false;
  #isDraining = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, () => ({}));
  }

  /**
   * Resolves with their base URL when every worker serves. The first one goes ahead: when it ends instead, something is wrong
   * for all of them, and this rejects with a `CommandFailure`. When they drain before all serve, it never settles.
   */
  async start(): Promise<string> {
    const [first, ...others] = this.#slots as readonly [Slot, ...Slot[]];
    const url = await this.#run(first);
    await Promise.all(others.map((slot) => this.#run(slot)));
    return url;
  }

  /** Has every worker read its secrets again: one that is not up yet when it is. */
  reload(): void {
    for (const slot of this.#slots) {
      if (slot.worker !== undefined && slot.isTold) tell(slot.worker, { do: "reload" });
      else slot.mustReload = true;
    }
  }

  /** Lets every worker drain, and kills those that are left when `cut` is aborted. Answers how many did not end well. */
  async drain(cut: AbortSignal): Promise<number> {
    this.#isDraining = true;
    for (const { timer } of this.#slots) clearTimeout(timer);
    const left = this.#slots.flatMap(({ worker }) => worker ?? []);
    const kill = () => {
      for (const worker of left) worker.process.kill("SIGKILL");
    };
    cut.addEventListener("abort", kill);
    const ends = left.map((worker) => {
      const endedWell = new Promise<boolean>((resolve) => {
        worker.process.once("close", (code, signal) => resolve(code === 0 || STOP_SIGNALS.includes(String(signal))));
      });
      tell(worker, { do: "drain" });
      return endedWell;
    });
    const endedWell = await Promise.all(ends);
    cut.removeEventListener("abort", kill);
    return endedWell.filter((isWell) => !isWell).length;
  }

  /** Resolves when the slot's worker, or one that followed it, serves. */
  #run(slot: Slot): Promise<string> {
    return new Promise((resolve, reject) => this.#fork(slot, resolve, reject));
  }

  #fork(slot: Slot, onReady: (url: string) => void, onFailure: (error: CommandFailure) => void): void {
    if (this.#isDraining) return;
    const { fork, logger, port } = this.#options;
    const startMs = performance.now();
    const again = () => {
      slot.delayMs = restartDelayMs(slot.delayMs, performance.now() - startMs);
      slot.timer = setTimeout(() => this.#fork(slot, onReady, onFailure), slot.delayMs);
      return slot.delayMs;
    };
    let worker: Worker;
    try {
      worker = fork();
    } catch (err) {
      // There is no memory or no process left: the others go on.
      if (!this.#wasReady) onFailure(new CommandFailure(`the first worker did not start: ${(err as Error).message}`));
      else logger.warn({ err, restart_in_ms: again() }, "a worker could not be started, and is tried again");
      return;
    }
    const { id, process: child } = worker;
    slot.worker = worker;
    slot.isTold = false;
    worker.on("message", (news: WorkerNews) => {
      if (news.is === "listening") {
        tell(worker, this.#isDraining ? { do: "drain" } : { do: "serve", port });
        slot.isTold = true;
        if (slot.mustReload) tell(worker, { do: "reload" });
        slot.mustReload = false;
      } else {
        this.#wasReady = true;
        logger.info({ worker: id, pid: child.pid }, "a worker is ready");
        onReady(news.url);
      }
    });
    worker.on("error", (err) => logger.warn({ worker: id, err }, "a worker cannot be reached"));
    child.once("close", (code: number | null, signal: NodeJS.Signals | null) => {
      delete slot.worker;
      if (this.#isDraining) return;
      const how = signal === null ? { code } : { signal };
      if (!this.#wasReady) {
        const exitCode = code === EXIT_CODE.unreachable ? EXIT_CODE.unreachable : EXIT_CODE.failed;
        onFailure(new CommandFailure(`the first worker did not start: ${signal ?? `exit code ${code}`}`, exitCode));
        return;
      }
      logger.warn({ worker: id, ...how, restart_in_ms: again() }, "a worker ended, and is started again");
    });
  }
}

/** One that is gone already is not there to be told. */
function tell(worker: Worker, order: WorkerOrder): void {
  worker.send(order, undefined, () => undefined);
}
