/** What earlier releases wrote is read, listed, verified and updated by this one. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { BSON, type CreateIndexesOptions, type Document, type IndexSpecification, MongoClient } from "mongodb";
import { callsOf, type FixtureKeys, REPEATED } from "../fixtures/fixture-keys.js";
import { FIXTURE_TOKEN, fixtureSettings } from "../fixtures/fixture-settings.js";
import { MONGO_SKIPPED, mongoTestUri, uriOfDatabase } from "../mongo-server.js";
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

/** Asks about everything that is there, twice, for what was read first may be remembered. */
async function expectKeys(url: string, { credentials, issued, imported }: FixtureKeys): Promise<void> {
  const api = callsOf(url, FIXTURE_TOKEN);
  for (const { about, credential, verdict } of [...credentials, ...credentials]) {
    const { error_code } = (await api.post("apiKeys:verify", { credential })) as { error_code?: string };
    expect({ about, error_code }).toEqual({ about, error_code: `VERIFICATION_ERROR_${verdict}` });
  }
  const lists = { issued: await api.get("issuedApiKeys"), imported: await api.get("importedApiKeys") };
  expect(lists.issued.issued_api_keys.map(withoutUse)).toEqual(issued.map(withoutUse));
  expect(lists.imported.imported_api_keys.map(withoutUse)).toEqual(imported.map(withoutUse));
  for (const key of issued) expect(withoutUse(await api.get(`issuedApiKeys/${key.key_id}`))).toEqual(withoutUse(key));
  for (const status of ["ACTIVE", "REVOKED", "EXPIRED"].map((word) => `KEY_STATUS_${word}`)) {
    const { issued_api_keys } = await api.get(`issuedApiKeys?filter=${encodeURIComponent(`status=${status}`)}`);
    const ids = issued.filter((key) => key.status === status).map(({ key_id }) => key_id);
    expect(ids.length).toBeGreaterThan(0);
    expect(issued_api_keys.map(({ key_id }) => key_id)).toEqual(ids);
  }
}

/** Verifying a key changes when it was used. */
function withoutUse(key: object): object {
  const { last_used_time: _, ...others } = key as Readonly<Record<string, unknown>>;
  return others;
}

/** Changes what is there as any other key, and repeats a request of back then. */
async function expectChanges(url: string, { issued, credentials }: FixtureKeys): Promise<void> {
  const api = callsOf(url, FIXTURE_TOKEN);
  const full = issued.find((key) => key.metadata !== undefined && key.rate_limit_policy);
  const repeated = await api.post("issuedApiKeys", REPEATED);
  expect(issued.map(({ key_id }) => key_id)).toContain(repeated.issued_api_key.key_id);

  const path = `issuedApiKeys/${full?.key_id}`;
  expect(withoutUse(await api.patch(path, { scopes: ["read"] }))).toEqual({
    ...withoutUse(full ?? {}),
    scopes: ["read"],
    update_time: expect.any(String),
  });
  const { secret } = await api.post(`${path}:rotate`, {});
  const verdictOf = async (credential: string) => (await api.post("apiKeys:verify", { credential })).status;
  expect(await verdictOf(secret)).toBe("KEY_STATUS_ACTIVE");
  expect(await verdictOf(credentials[0]?.credential ?? "")).toBe("KEY_STATUS_REVOKED");
  // A token ends with its key.
  for (const { about, credential } of credentials.filter(({ about }) => about.startsWith("a token"))) {
    expect({ about, status: await verdictOf(credential) }).toEqual({ about, status: "KEY_STATUS_REVOKED" });
  }
  const imported = await api.post("importedApiKeys", { name: "n", actor_id: "a", raw_key: "legacy-fixture-2" });
  expect(imported.status).toBe("KEY_STATUS_ACTIVE");
}

test.each(FORMATS)("%s of the embedded store is read, listed, verified and updated", async (format) => {
  const dataDir = join(directory, format);
  mkdirSync(join(dataDir, "store"), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  copyFileSync(new URL(`../fixtures/${format}/data.mdb`, import.meta.url), join(dataDir, "store", "data.mdb"));
  const keys: FixtureKeys = JSON.parse(fixture(format, "embedded.json"));
  const url = await start({ LATCHKEY_DATA_DIR: dataDir });
  await expectKeys(url, keys);
  await expectChanges(url, keys);
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
      await expectKeys(url, keys);
      await expectChanges(url, keys);
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
      await expectKeys(url, keys);
      await expectChanges(url, keys);
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
