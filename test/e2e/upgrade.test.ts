/** What earlier releases wrote is read, listed, verified and updated by this one. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, test } from "@jest/globals";
import { BSON, type CreateIndexesOptions, type Document, type IndexSpecification, MongoClient } from "mongodb";
import type { FixtureKeys } from "../fixtures/fixture-keys.js";
import { FIXTURE_TOKEN, fixtureSettings } from "../fixtures/fixture-settings.js";
import { MONGO_SKIPPED, mongoTestUri, uriOfDatabase } from "../mongo-server.js";
import { expectFixtureChanges, expectFixtureKeys } from "./expect-fixture-keys.js";
import { startTestServer, type TestServer } from "./server.js";

const FORMATS = ["format-1", "format-2"];
const PRIVATE_DIRECTORY_MODE = 0o700;
const TIMEOUT_MS = 60_000;

interface StoredCollection {
  readonly documents: Document[];
  readonly indexes: { readonly key: IndexSpecification; readonly name: string; readonly v: number }[];
}

const mongo = await mongoTestUri();
const directory = mkdtempSync(join(tmpdir(), "latchkey-upgrade-"));
const servers: TestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await mongo?.dispose();
});

function fixture(format: string, file: string): string {
  return readFileSync(new URL(`../fixtures/${format}/${file}`, import.meta.url), "utf8");
}

async function start(settings: Readonly<Record<string, string>>): Promise<string> {
  const server = await startTestServer({ env: { ...fixtureSettings(), ...settings } });
  servers.push(server);
  return server.url;
}

test.each(FORMATS)("%s of the embedded store is read, listed, verified and updated", async (format) => {
  const dataDir = join(directory, format);
  mkdirSync(join(dataDir, "store"), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  copyFileSync(new URL(`../fixtures/${format}/data.mdb`, import.meta.url), join(dataDir, "store", "data.mdb"));
  const keys: FixtureKeys = JSON.parse(fixture(format, "embedded.json"));
  const url = await start({ LATCHKEY_DATA_DIR: dataDir });
  await expectFixtureKeys(url, FIXTURE_TOKEN, keys);
  await expectFixtureChanges(url, FIXTURE_TOKEN, keys);
});

const testMongo = mongo === undefined ? test.skip : test;
const skipped = mongo === undefined ? `, ${MONGO_SKIPPED}` : "";

testMongo.each(FORMATS)(
  `%s of the MongoDB store is read, listed, verified and updated${skipped}`,
  async (format) => {
    await withDatabase(format, async (uri, client) => {
      await restore(client, format);
      const keys: FixtureKeys = JSON.parse(fixture(format, "mongodb-keys.json"));
      const url = await start({ LATCHKEY_STORE_MONGODB_URI: uri });
      await expectFixtureKeys(url, FIXTURE_TOKEN, keys);
      await expectFixtureChanges(url, FIXTURE_TOKEN, keys);
    });
  },
  TIMEOUT_MS,
);

/** As two releases side by side do it. `format-1` is older than what lists by status need (migration 2 says so). */
testMongo(
  `documents of an earlier release that come while this one serves are read, listed and updated too${skipped}`,
  async () => {
    await withDatabase("late", async (uri, client) => {
      const url = await start({ LATCHKEY_STORE_MONGODB_URI: uri });
      await restore(client, "format-2", ["keys"]);
      const keys: FixtureKeys = JSON.parse(fixture("format-2", "mongodb-keys.json"));
      await expectFixtureKeys(url, FIXTURE_TOKEN, keys);
      await expectFixtureChanges(url, FIXTURE_TOKEN, keys);
    });
  },
  TIMEOUT_MS,
);

async function withDatabase(name: string, use: (uri: string, client: MongoClient) => Promise<void>): Promise<void> {
  const { pathname } = new URL(mongo?.uri ?? "");
  const uri = uriOfDatabase(mongo?.uri ?? "", `${pathname.slice(1)}_${name}`);
  const client = new MongoClient(uri);
  try {
    await use(uri, client);
  } finally {
    for (const server of servers.splice(0)) await server.close();
    await client.db().dropDatabase();
    await client.close();
  }
}

/** Puts documents and indexes where the release had them. */
async function restore(client: MongoClient, format: string, only?: readonly string[]): Promise<void> {
  const stored = BSON.EJSON.parse(fixture(format, "mongodb.json"), { relaxed: false });
  for (const [name, { documents, indexes }] of Object.entries<StoredCollection>(stored)) {
    if (only !== undefined && !only.includes(name)) continue;
    const collection = client.db().collection(name);
    if (documents.length > 0) await collection.insertMany(documents);
    for (const { key, v: _, ...options } of indexes) {
      if (options.name !== "_id_") await collection.createIndex(key, options as CreateIndexesOptions);
    }
  }
}
