import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const LOADER = new URL("../ts-loader.mjs", import.meta.url).href;
const SCRIPT = fileURLToPath(new URL("./embedded-child.ts", import.meta.url));

export interface StoreProcess {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  readonly lines: string[];
  /** When it has ended and all it printed has been read. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts embedded-child.ts. `limits` is shell text to run before, such as `ulimit -f 100`. */
export function startStoreProcess(
  options: readonly string[],
  settings: { limits?: string; onLine?: (line: string) => void } = {},
): StoreProcess {
  const command = [process.execPath, "--no-warnings", "--import", LOADER, SCRIPT, ...options];
  const [file = "", ...rest] =
    settings.limits === undefined ? command : ["sh", "-c", `${settings.limits} && exec "$@"`, "sh", ...command];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "ignore"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    settings.onLine?.(line);
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return { child, lines, ended };
}
