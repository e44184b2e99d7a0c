import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface TourService {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** The folder that the service runs in, and the reader's second terminal too. */
  readonly folder: string;
  /** Stops it with SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
}

/** The environment without any setting of the service or of the tests. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("LATCHKEY_"));
  return { ...Object.fromEntries(kept), no_proxy: "127.0.0.1", NO_PROXY: "127.0.0.1" };
}

/** Starts the service from its sources in a process of its own, on a free port, in a new folder. */
export async function startTourService(settings: Readonly<Record<string, string>>): Promise<TourService> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-tour-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules")); // for npx
  const child = spawnService(folder, settings);
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    const [code] = await exited;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    return { url: await readyUrl(child), folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a service says when it does not start, and its exit code. */
export interface FailedStart {
  readonly code: number | null;
  readonly stderr: string;
}

/** Starts a service that is to fail, in the folder of another one. One that starts all the same is stopped, and says nothing. */
export async function failToStart(folder: string, settings: Readonly<Record<string, string>>): Promise<FailedStart> {
  const child = spawnService(folder, settings);
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdout?.once("data", () => child.kill("SIGTERM")); // it logs when it is ready
  const [code] = await once(child, "close");
  return { code, stderr };
}

function spawnService(folder: string, settings: Readonly<Record<string, string>>): ChildProcess {
  const loader = new URL("../ts-loader.mjs", import.meta.url).href;
  return spawn(process.execPath, ["--import", loader, join(ROOT, "src/main.ts"), "serve"], {
    cwd: folder,
    env: { ...cleanEnvironment(), LATCHKEY_SERVER_PORT: "0", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The address in the log line that says `ready`. The log is read to its end, so that the service never waits for it. */
function readyUrl(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the service has no output");
  let errors = "";
  stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the service ended with code ${code}:\n${errors}`)));
    createInterface(stdout).on("line", (line) => {
      const { msg, url } = JSON.parse(line);
      if (msg === "ready") resolve(url);
    });
  });
}
