import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { KEY_ATTRIBUTES } from "../api.js";
import type { Options } from "../options.js";
import { pinned } from "../pinned-process.js";
import type { Contestant } from "../rounds.js";
import type { Service } from "../service.js";
import { BATCH, type ImportLoad, RAW_KEY_BYTES } from "./import-load.js";

const MAIN = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));
const COLUMNS = "raw_key,name,actor_id,scopes,metadata\n";

/** The command line imports a CSV of keys that nobody has imported, in a process on the load's core; keys a second. */
export function importFileContestant(
  { url, authorization, process: server }: Service,
  work: string,
  { batchesPerSecond }: ImportLoad,
  { cpuProf }: Options,
): Contestant {
  const file = join(work, "keys.csv");
  const profile = cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`];
  const words = [...profile, MAIN, "keys", "import-file", file];
  const env = { LATCHKEY_ENDPOINT: url, LATCHKEY_TOKEN: authorization.replace("Bearer ", "") };
  let keys = 0;
  return {
    name: "file",
    server,
    async prepare(seconds) {
      keys = seconds * batchesPerSecond * BATCH;
      await writeFile(file, COLUMNS + Array.from({ length: keys }, createRow).join(""));
    },
    async measure() {
      const startedAt = performance.now();
      const { stdout } = await promisify(execFile)(...pinned("load", process.execPath, words), { env });
      const elapsedSeconds = (performance.now() - startedAt) / 1000;
      if (stdout !== `imported ${keys} keys\n`) throw new Error(`not every key was imported: ${stdout}`);
      return keys / elapsedSeconds;
    },
  };
}

function createRow(): string {
  const { name, actor_id: actorId, scopes, metadata } = KEY_ATTRIBUTES;
  const json = JSON.stringify(metadata).replaceAll('"', '""');
  return `legacy-${randomBytes(RAW_KEY_BYTES).toString("hex")},${name},${actorId},${scopes.join(" ")},"${json}"\n`;
}
