import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file of the sources to its end, with these variables alone. */
export function runExecutable(
  file: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const command = ["--import", `${ROOT}test/ts-loader.mjs`, `${ROOT}${file}`, ...words];
  const { PATH = "" } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT, env: { PATH, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
