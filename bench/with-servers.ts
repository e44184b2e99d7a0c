import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.js";
import { ServerProcess } from "./pinned-process.js";
import { Service, type ServiceOptions } from "./service.js";
import { createWorkDirectory, removeWorkDirectory } from "./work-directory.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The service, and what it is compared with. */
export interface Servers {
  readonly service: Service;
  /** A directory for files that are gone at the end. */
  readonly work: string;
  /** Starts one of `bench/servers/`; it answers every call with `answer`. */
  startReference(name: string, answer: string | Buffer, words?: readonly string[]): Promise<ServerProcess>;
  /** Starts one of `bench/loops/`: `measureLoop` lets it work. */
  startLoops(name: string, words: readonly string[]): Promise<ServerProcess>;
  /** Writes a file; answers its path. */
  workFile(name: string, content: string | Buffer): Promise<string>;
}

/** Starts the service for `use`, and ends it and what was started besides. */
export async function withServers<T>(
  options: Options & ServiceOptions,
  use: (servers: Servers) => Promise<T>,
): Promise<T> {
  const work = createWorkDirectory();
  const service = await Service.start(options);
  const others: ServerProcess[] = [];
  const start = async (words: readonly string[]) => {
    const server = await ServerProcess.start({ words, cwd: ROOT, ready: /^ready at (\S+)$/m });
    others.push(server);
    return server;
  };
  try {
    return await use({
      service,
      work,
      startReference: (name, answer, words = []) =>
        start([`bench/servers/${name}.mjs`, Buffer.from(answer).toString("base64"), ...words]),
      startLoops: (name, words) => {
        const profile = options.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProf}`];
        return start([...profile, "--import", "./test/ts-loader.mjs", `bench/loops/${name}.ts`, ...words]);
      },
      async workFile(name, content) {
        await writeFile(join(work, name), content);
        return join(work, name);
      },
    });
  } finally {
    for (const server of others) await server.stop();
    await service.stop();
    removeWorkDirectory(work);
  }
}
