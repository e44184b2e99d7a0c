import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A command of `latchkey` in a process of its own, from the sources. */
export class LatchkeyProcess {
  stdout = "";
  stderr = "";
  /** Its exit code; `null` when a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  /** `cwd`: working directory; this process's when absent. */
  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string) {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, ["--import", `${ROOT}test/ts-loader.mjs`, `${ROOT}src/main.ts`, ...words], {
      env: { PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd !== undefined && { cwd }),
    });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = once(child, "close").then(([code]) => code);
  }

  /** Resolves when stderr has a match. Throws when it ends instead. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(`${pattern} on stderr`, () => {
      const found = pattern.exec(this.stderr);
      if (found === null && this.#child.exitCode !== null) throw new Error(`it ended instead:\n${this.stderr}`);
      return found ?? undefined;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function runLatchkey(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Said> {
  const child = new LatchkeyProcess(words, env, cwd);
  const code = await child.ended;
  return { code, stdout: child.stdout, stderr: child.stderr };
}
