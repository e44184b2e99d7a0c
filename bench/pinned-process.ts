import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** The server that is measured, whichever it is, has a core for itself; the load comes from the other. Workers have both. */
const CORES = { server: "0", load: "1", workers: "0,1" } as const;
export type Role = keyof typeof CORES;

/** USER_HZ, which is 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export const canPin = availableParallelism() > 1 && isInstalled("taskset");

export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** The words that run a program on the core of its role. */
export function pinned(role: Role, program: string, words: readonly string[]): [string, string[]] {
  return canPin ? ["taskset", ["-c", CORES[role], program, ...words]] : [program, [...words]];
}

/** Moves this process, which makes some of the load itself, and what it starts from now on. */
export function pinThisProcess(): void {
  if (canPin) execFileSync("taskset", ["-a", "-c", "-p", CORES.load, String(process.pid)], { stdio: "ignore" });
}

export interface ServerOptions {
  /** What follows `node`. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: that of a server. */
  readonly role?: Role | undefined;
  /** Where standard output goes; absent: it is read for `ready`, as standard error is. */
  readonly logFile?: string;
  /** Matches the text with which the server says that it takes calls; the first group is its URL. */
  readonly ready: RegExp;
}

/** A Node process on the server's core. */
export class ServerProcess {
  readonly url: string;
  /** From the start of the process until it said that it takes calls. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, readyMs: number) {
    this.#child = child;
    this.url = url;
    this.readyMs = readyMs;
  }

  static async start({ words, env = {}, cwd, role = "server", logFile, ready }: ServerOptions): Promise<ServerProcess> {
    const { PATH = "" } = process.env;
    const log = logFile === undefined ? undefined : openSync(logFile, "a");
    const startedAt = performance.now();
    const [program, allWords] = pinned(role, process.execPath, words);
    const child = spawn(program, allWords, {
      env: { PATH, ...env },
      stdio: ["ignore", log ?? "pipe", "pipe"],
      ...(cwd !== undefined && { cwd }),
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    if (log !== undefined) closeSync(log);
    const url = await urlOf(child, ready);
    return new ServerProcess(child, url, performance.now() - startedAt);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** CPU time that it and the processes that it started have used, all threads together. NaN where there is no /proc. */
  cpuSeconds(): number {
    return existsSync(`/proc/${this.pid}/stat`) ? cpuSecondsOf(this.pid) : Number.NaN;
  }

  /** Lets it end by itself, so that it can write its profile. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    this.#child.kill("SIGTERM");
    await ended;
    clearTimeout(killer);
  }
}

function cpuSecondsOf(pid: number): number {
  // proc(5): utime and stime are fields 14 and 15; the second one is a name in parentheses that may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + cpuSecondsOf(child), own);
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

function urlOf(child: ChildProcess, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (reason: string) => {
      child.kill("SIGKILL");
      reject(new Error(`a server ${reason}:\n${text}`));
    };
    const timer = setTimeout(() => fail("did not get ready"), START_TIMEOUT_MS);
    child.once("exit", () => fail("ended instead of getting ready"));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        const url = ready.exec(text)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        child.removeAllListeners("exit").once("exit", () => running.delete(child));
        stream.removeAllListeners("data").resume();
        resolve(url);
      });
    }
  });
}
