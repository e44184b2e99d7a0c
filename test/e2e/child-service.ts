import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.js";

/** Of several processes that compile the sources, on a busy machine. */
const START_LIMIT_MS = 60_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory; the project's when absent. */
  readonly cwd?: string;
  /** Words after `serve`. */
  readonly args?: readonly string[];
  /** Runs as this user; needs root. */
  readonly uid?: number;
  /** The executable of another release (`release-before.ts`); absent: this one, from the sources. */
  readonly main?: string | undefined;
}

/** `latchkey serve` in a process of its own. */
export class ChildService {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor({ env = {}, cwd = ROOT, args = [], uid, main }: ChildOptions = {}) {
    const program = main === undefined ? ["--import", `${ROOT}test/ts-loader.mjs`, `${ROOT}src/main.ts`] : [main];
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [...program, "serve", ...args], {
      cwd,
      env: { PATH, LATCHKEY_SERVER_PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(uid !== undefined && { uid }),
    });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = once(child, "close").then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the process did not start");
    return pid;
  }

  /** Resolves to the base URL when the service is ready. Throws when it ends instead. */
  async ready(): Promise<string> {
    const url = () => /^Latchkey \S+ is ready at (\S+)$/m.exec(this.stderr)?.[1];
    const look = () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended instead:\n${this.stderr}`);
      return url();
    };
    return eventually("the service to be ready", look, START_LIMIT_MS);
  }

  /** Resolves when the log has a line with this message. */
  async logged(message: string): Promise<void> {
    await eventually(`the log line "${message}"`, () => this.stdout.includes(`"msg":"${message}"`) || undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }
}
