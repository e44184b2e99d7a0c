import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Role, ServerProcess } from "./pinned-process.js";
import { createWorkDirectory, removeWorkDirectory } from "./work-directory.js";

const MAIN = fileURLToPath(new URL("../dist/src/main.js", import.meta.url));

export interface ServiceOptions {
  /** Has the store and the secrets; a new one, removed at the end, when absent. */
  readonly dataDir?: string | undefined;
  readonly cpuProf?: string | undefined;
  /** More settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What follows `serve`. */
  readonly words?: readonly string[];
  readonly role?: Role;
}

/**
 * The service as it is deployed: the build, its default configuration, its log (level `info`) in a file. Only the port, the
 * data directory and what a section says are others. `LATCHKEY_` variables of this process's environment are handed on.
 */
export class Service {
  readonly dataDir: string;
  readonly authorization: string;
  readonly process: ServerProcess;
  readonly #work: string;

  private constructor(server: ServerProcess, dataDir: string, work: string) {
    this.process = server;
    this.#work = work;
    this.dataDir = dataDir;
    this.authorization = `Bearer ${readFileSync(join(dataDir, "secrets", "admin-token"), "utf8").trim()}`;
  }

  static async start({ dataDir, cpuProf, env, words = [], role }: ServiceOptions = {}): Promise<Service> {
    const work = createWorkDirectory();
    const directory = dataDir ?? join(work, "data");
    const server = await ServerProcess.start({
      words: [...(cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`]), MAIN, "serve", ...words],
      env: { ...ownVariables(), LATCHKEY_SERVER_PORT: "0", LATCHKEY_DATA_DIR: directory, ...env },
      cwd: work,
      role,
      logFile: join(work, "log"),
      ready: /^Latchkey \S+ is ready at (\S+)$/m,
    });
    return new Service(server, directory, work);
  }

  get url(): string {
    return this.process.url;
  }

  get readyMs(): number {
    return this.process.readyMs;
  }

  /** MiB of memory that the process has. Linux only: elsewhere `undefined`. */
  async residentMiB(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.process.pid}/status`, "utf8").catch(() => "");
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  }

  async stop(): Promise<void> {
    await this.process.stop();
    removeWorkDirectory(this.#work);
  }
}

function ownVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith("LATCHKEY_") && !name.startsWith("LATCHKEY_TEST_") && value !== undefined ? [[name, value]] : [],
    ),
  );
}
