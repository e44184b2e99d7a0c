/** The MongoDB of a run: a server, a data directory for the services on it, and a database with many keys. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { uriOfDatabase } from "../test/mongo-server.js";
import { BODY_BYTES, fillStore } from "./filled-store.js";
import type { ServiceOptions } from "./service.js";
import { createWorkDirectory } from "./work-directory.js";

/** In the database that the sections share. */
export const MANY_KEYS = 200_000;
/** Of them. */
const KEYS_OF_ONE_ACTOR = 500;
/** The first start on a machine may have to unpack the server. */
const CONTROL_TIMEOUT_MS = 60_000;
/** With it every verification reads the store. */
export const NO_CACHE = { LATCHKEY_CACHE_TTL: "0s" };

/** Of a service, or of what is opened as a service does it. A busy machine ends no run: calls may take long. */
export function onMongo(uri: string): Record<string, string> {
  return { LATCHKEY_STORE_MONGODB_URI: uri, LATCHKEY_STORE_MONGODB_TIMEOUT: "10s" };
}

export interface FilledDatabase {
  readonly uri: string;
  /** A file of `BODY_BYTES` for each of the first so many keys: the request that verifies it. */
  bodiesFile(count: number): Promise<string>;
}

/** On the server that a control program starts for the run, else on the one that a URI names. */
export class Mongo {
  readonly #serverUri: string;
  readonly #isOwn: boolean;
  readonly #work = createWorkDirectory();
  readonly #databases: string[] = [];
  #filled: Promise<FilledDatabase> | undefined;

  private constructor(serverUri: string, isOwn: boolean) {
    this.#serverUri = serverUri;
    this.#isOwn = isOwn;
  }

  /** Throws where neither is said. */
  static open(): Mongo {
    const { LATCHKEY_TEST_MONGODB_CONTROL: program = "", LATCHKEY_TEST_MONGODB_URI: uri = "" } = process.env;
    if (program !== "") return new Mongo(startServer(program), true);
    if (uri !== "") return new Mongo(uri, false);
    throw new Error("set LATCHKEY_TEST_MONGODB_CONTROL or LATCHKEY_TEST_MONGODB_URI to measure with MongoDB");
  }

  /** The URI of a database of its own. */
  createDatabase(): string {
    const name = `latchkey_bench_${randomBytes(8).toString("hex")}`;
    this.#databases.push(name);
    return uriOfDatabase(this.#serverUri, name);
  }

  /** The database of `MANY_KEYS` keys. Filled once in a run. */
  filled(say: (text: string) => void): Promise<FilledDatabase> {
    this.#filled ??= this.#fill(say);
    return this.#filled;
  }

  /** A service on a database. All of them have the same secrets. */
  serviceOn(uri: string, env: Readonly<Record<string, string>> = {}): ServiceOptions {
    return { dataDir: join(this.#work, "data"), env: { ...onMongo(uri), ...env } };
  }

  /** Leaves nothing behind on a server that stays. */
  async close(): Promise<void> {
    if (this.#isOwn) return;
    const client = new MongoClient(this.#serverUri);
    for (const name of this.#databases) await client.db(name).dropDatabase();
    await client.close();
  }

  async #fill(say: (text: string) => void): Promise<FilledDatabase> {
    const uri = this.createDatabase();
    const allBodies = join(this.#work, "bodies");
    say(`filling MongoDB with ${MANY_KEYS.toLocaleString("en-US")} keys`);
    await fillStore(uri, allBodies, [MANY_KEYS, KEYS_OF_ONE_ACTOR]);
    return {
      uri,
      bodiesFile: async (count) => {
        const bodiesFile = join(this.#work, `bodies-${count}`);
        const file = await open(allBodies);
        const { buffer } = await file.read({ buffer: Buffer.alloc(count * BODY_BYTES), position: 0 });
        await file.close();
        await writeFile(bodiesFile, buffer, { mode: 0o600 });
        return bodiesFile;
      },
    };
  }
}

/** As the load, the server is on the load's core, and it is gone when this process is. */
function startServer(program: string): string {
  const directory = createWorkDirectory();
  chmodSync(directory, 0o711); // the server may run as another user
  const control = (command: string) =>
    execFileSync(program, [command, directory], { encoding: "utf8", timeout: CONTROL_TIMEOUT_MS }).trim();
  process.prependOnceListener("exit", () => control("stop"));
  return control("start");
}
