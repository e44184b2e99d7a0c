import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface FilledStore {
  /** For `data_dir`. */
  readonly dataDir: string;
  /** A file of `BODY_BYTES` for each key: the request that verifies it. */
  readonly bodiesFile: string;
}

/** What is special about some of the keys; by default nothing is. */
export interface SpecialKeys {
  /** So many, spread over all of them, are those of `ONE_ACTOR`. */
  readonly ofOneActor?: number;
  /** So many, the newest, are expired, and their records say so. */
  readonly expired?: number;
}

export const ONE_ACTOR = "team-a";

/** JSON may end in spaces, so that every request has the same length. */
export const BODY_BYTES = 96;

const FILL_TIMEOUT_MS = 10 * 60_000;
const ROOT = new URL("../", import.meta.url);
/** What decides the bytes that are stored. */
const FORMAT_SOURCES = [
  "bench/fill-store.ts",
  "test/vectors/issued-keys.json",
  "src/store/embedded/environment.ts",
  "src/store/embedded/index-keys.ts",
  "src/store/embedded/key-table.ts",
  "src/store/embedded/stored-entry.ts",
];

/** A data directory with this many keys: one that an earlier run has left in the temporary directory, or a new one. */
export async function filledStore(
  count: number,
  say: (text: string) => void,
  { ofOneActor = 0, expired = 0 }: SpecialKeys = {},
): Promise<FilledStore> {
  const home = join(tmpdir(), `latchkey-bench-stores-${userInfo().uid}`);
  const counts = [count, ofOneActor, expired];
  const name = ofOneActor + expired === 0 ? String(count) : counts.join("+");
  const directory = join(home, `${name}-${formatMark()}`);
  const at = (parent: string) => ({ dataDir: join(parent, "data"), bodiesFile: join(parent, "bodies") });
  if (existsSync(directory)) return at(directory);

  await mkdir(home, { recursive: true, mode: 0o700 });
  const outdated = (await readdir(home)).filter((entry) => entry.startsWith(`${name}-`));
  for (const entry of outdated) await rm(join(home, entry), { recursive: true, force: true });
  const startedAt = performance.now();
  const unfinished = join(home, `${name}-unfinished-${process.pid}`);
  const { dataDir, bodiesFile } = at(unfinished);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await fillStore(join(dataDir, "store"), bodiesFile, counts);
  await rename(unfinished, directory);
  say(`filled a store with ${count.toLocaleString("en-US")} keys in ${seconds(startedAt)} s; it is kept in ${home}`);
  return at(directory);
}

/** `place` and `counts` as `fill-store.ts` has them. */
export async function fillStore(place: string, bodiesFile: string, counts: readonly number[]): Promise<void> {
  const words = ["--import", "./test/ts-loader.mjs", "bench/fill-store.ts", place, bodiesFile];
  await promisify(execFile)(process.execPath, [...words, ...counts.map(String)], {
    cwd: fileURLToPath(ROOT),
    timeout: FILL_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
}

/** The request that verifies one of the keys. */
export async function readBody(bodiesFile: string, at: number): Promise<string> {
  const file = await open(bodiesFile);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(BODY_BYTES), position: at * BODY_BYTES });
    return buffer.toString();
  } finally {
    await file.close();
  }
}

/** Reads the store's files once, so that they are in the system's cache, as those of a service at work are. */
export async function warmUp(dataDir: string): Promise<void> {
  const store = join(dataDir, "store");
  for (const name of await readdir(store)) await createReadStream(join(store, name)).forEach(() => {});
}

function formatMark(): string {
  const hash = createHash("sha256");
  for (const source of FORMAT_SOURCES) hash.update(readFileSync(new URL(source, ROOT)));
  return hash.digest("hex").slice(0, 12);
}

function seconds(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1000);
}
