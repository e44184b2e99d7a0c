import { spawnSync } from "node:child_process";

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** Whether `script` of util-linux is, which runs a command at a terminal of its own. */
export function hasScript(): boolean {
  return spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
}
