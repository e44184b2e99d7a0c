import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { MongoClient } from "mongodb";

const START_TIMEOUT_MS = 20_000;

/** What the suites that need a server say when there is none. */
export const MONGO_SKIPPED =
  "skipped: set LATCHKEY_TEST_MONGODB_URI (mongodb://127.0.0.1:27017), or put mongod on the PATH, to run it";

export interface MongoTestServer {
  /** With the name of a database that is new, and is dropped in the end. */
  readonly uri: string;
  dispose(): Promise<void>;
}

/**
 * A database for one test suite: on the server that LATCHKEY_TEST_MONGODB_URI names, else on a `mongod` from the PATH that is
 * started for it. `undefined` where there is neither; in CI that is an error, so that nothing is skipped there unnoticed.
 */
export async function mongoTestUri(): Promise<MongoTestServer | undefined> {
  const uri = process.env.LATCHKEY_TEST_MONGODB_URI;
  if (uri !== undefined && uri !== "") return databaseOn(uri, async () => {});
  const mongod = findOnPath("mongod");
  if (mongod !== undefined) return startMongod(mongod);
  if (isCi()) throw new Error("in CI the MongoDB suites must run: set LATCHKEY_TEST_MONGODB_URI");
  process.stderr.write(`MongoDB suite ${MONGO_SKIPPED}\n`);
  return undefined;
}

export function isCi(): boolean {
  const ci = process.env.CI ?? "";
  return ci !== "" && ci !== "false" && ci !== "0";
}

/** The same servers and options, and another database. */
export function uriOfDatabase(serverUri: string, database: string): string {
  const [servers = "", options] = serverUri.split("?", 2);
  const base = servers.replace(/^(mongodb(?:\+srv)?:\/\/[^/]+).*$/, "$1");
  return `${base}/${database}${options === undefined ? "" : `?${options}`}`;
}

async function databaseOn(serverUri: string, stop: () => Promise<void>): Promise<MongoTestServer> {
  const database = `latchkey_test_${randomBytes(8).toString("hex")}`;
  const uri = uriOfDatabase(serverUri, database);
  return {
    uri,
    async dispose() {
      const client = new MongoClient(uri);
      await client.db(database).dropDatabase();
      await client.close();
      await stop();
    },
  };
}

async function startMongod(mongod: string): Promise<MongoTestServer> {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-mongod-"));
  const port = await freePort();
  const options = ["--dbpath", directory, "--port", String(port), "--bind_ip", "127.0.0.1", "--nounixsocket"];
  const child = spawn(mongod, options, { stdio: "ignore" });
  const stop = async () => {
    await stopChild(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const uri = `mongodb://127.0.0.1:${port}`;
  try {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: START_TIMEOUT_MS });
    await client.db("admin").command({ ping: 1 });
    await client.close();
    return await databaseOn(uri, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function findOnPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
