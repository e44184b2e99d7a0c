import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Working directory; the project's when absent. */
  readonly cwd?: string | undefined;
  /** What is piped in. */
  readonly input?: string | undefined;
}

/** The words of a shell that run `latchkey` from the sources. */
export function latchkeyWords(words: readonly string[]): readonly string[] {
  return [process.execPath, "--import", `${ROOT}test/ts-loader.mjs`, `${ROOT}src/main.ts`, ...words];
}

/** Runs `latchkey` to its end, in a process of its own, with these variables alone, its streams being pipes. */
export function runLatchkey(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runWords(latchkeyWords(words), options);
}

export async function runWords(
  [program = "", ...words]: readonly string[],
  { env = {}, cwd = ROOT, input = "" }: RunOptions = {},
): Promise<Run> {
  const { PATH = "" } = process.env;
  const child = spawn(program, words, { cwd, env: { PATH, ...env }, stdio: "pipe" });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdin.on("error", () => undefined); // it may end without having read all
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}
