/** What opening a MongoDB store makes of the database's schema. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { MongoClient } from "mongodb";
import { migrateStatus, migrateUp } from "../../src/cli/migrate.js";
import type { Output } from "../../src/cli/program.js";
import type { Config } from "../../src/config/config.js";
import { INDEXES } from "../../src/store/mongo/indexes.js";
import { documentFromRecord, type KeyDocument } from "../../src/store/mongo/key-document.js";
import { migrateMongo, readMigrations } from "../../src/store/mongo/migrate-mongo.js";
import { MIGRATIONS, type SchemaDocument } from "../../src/store/mongo/migrations.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { sampleRecord } from "./sample-record.js";

const TIMEOUT_MS = 10_000;
const LATEST = MIGRATIONS.length;

test("migrations are numbered from 1, without gaps, and are compatible with no later version than their own", () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_migration, index) => index + 1));
  for (const { version, compatibleVersion } of MIGRATIONS) expect(compatibleVersion).toBeLessThanOrEqual(version);
});

const server = await mongoTestUri();
(server === undefined ? describe.skip : describe)(
  `MongoDB migrations${server === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
  () => {
    // The client wants one also where the tests are skipped.
    const uri = server?.uri ?? "mongodb://none";
    const options = { uri, timeoutMs: TIMEOUT_MS };
    const client = new MongoClient(uri, { ignoreUndefined: true });
    const database = client.db();
    const schema = database.collection<SchemaDocument>("schema");
    const keys = database.collection<KeyDocument>("keys");

    beforeAll(() => client.connect());
    beforeEach(() => database.dropDatabase());
    afterAll(async () => {
      await client.close();
      await server?.dispose();
    });

    const messageOf = async (work: Promise<unknown>): Promise<string> => {
      const error: unknown = await work.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ reason: "UNAVAILABLE" });
      return (error as Error).message;
    };

    test("a new database gets every index, and its version", async () => {
      expect((await readMigrations(options)).map(({ isApplied }) => isApplied)).toEqual(MIGRATIONS.map(() => false));
      const store = await openMongoStore(options);
      await store.close();
      const names = (await keys.indexes()).map(({ name }) => name);
      expect(names.sort()).toEqual(["_id_", ...Object.keys(INDEXES)].sort());
      expect(await schema.find().toArray()).toEqual([
        { _id: "schema", version: LATEST, compatible_version: Math.max(...MIGRATIONS.map((m) => m.compatibleVersion)) },
      ]);
      expect((await readMigrations(options)).map(({ isApplied }) => isApplied)).toEqual(MIGRATIONS.map(() => true));
      expect(await migrateMongo(options)).toEqual([]);
    });

    test("is not changed unless that is wanted; once it was, it opens either way", async () => {
      expect(await messageOf(openMongoStore({ ...options, autoMigrate: false }))).toBe(
        `the database ${database.databaseName} has schema version 0, this release needs ${LATEST}: run "latchkey migrate up"`,
      );
      expect(await database.listCollections().toArray()).toEqual([]);
      expect((await migrateMongo(options)).map(({ version }) => version)).toEqual(MIGRATIONS.map((m) => m.version));
      const store = await openMongoStore({ ...options, autoMigrate: false });
      await store.ping();
      await store.close();
    });

    test("of a database in use is not changed where only a new one may be made", async () => {
      await keys.insertOne(documentFromRecord(sampleRecord(), 1));
      expect(await messageOf(openMongoStore({ ...options, upgrade: false }))).toBe(
        `the database ${database.databaseName} has schema version 0, this release needs ${LATEST}: run "latchkey migrate up"`,
      );
      expect(await schema.countDocuments()).toBe(0);
      await schema.insertOne({ _id: "schema", version: 1, compatible_version: 1 });
      expect(await messageOf(openMongoStore({ ...options, upgrade: false }))).toBe(
        `the database ${database.databaseName} has schema version 1, this release needs ${LATEST}: run "latchkey migrate up"`,
      );
      expect((await keys.indexes()).map(({ name }) => name)).toEqual(["_id_"]);
      await migrateMongo(options);
      await (await openMongoStore({ ...options, upgrade: false })).close();
      await database.dropDatabase();
      await (await openMongoStore({ ...options, upgrade: false })).close();
      expect((await schema.findOne({ _id: "schema" }))?.version).toBe(LATEST);
    });

    test("several processes at once bring it up to date", async () => {
      const stores = await Promise.all(Array.from({ length: 6 }, () => openMongoStore(options)));
      expect(await schema.countDocuments()).toBe(1);
      await Promise.all(stores.map((store) => store.close()));
    });

    test("can be asked by the command line", async () => {
      const config = { store: { mongodb: { ...options, autoMigrate: true } } } as Config;
      let out = "";
      const stdout = { write: (text: string) => (out += text) };
      const linesOf = async (command: (config: Config, out: Output) => Promise<void>) => {
        out = "";
        await command(config, stdout);
        return out;
      };
      const list = (state: string) => MIGRATIONS.map(({ version, name }) => `${version}  ${state}  ${name}\n`).join("");
      expect(await linesOf(migrateStatus)).toBe(list("pending"));
      expect(await linesOf(migrateUp)).toBe(list("applied"));
      expect(await linesOf(migrateStatus)).toBe(list("applied"));
      expect(await linesOf(migrateUp)).toBe("up to date\n");
    });

    test("one that stopped between two steps goes on, and never back", async () => {
      await migrateMongo(options);
      await schema.updateOne({ _id: "schema" }, { $set: { version: 1 } });
      await keys.dropIndex("by_status");
      expect((await migrateMongo(options)).map(({ version }) => version)).toEqual(
        MIGRATIONS.slice(1).map(({ version }) => version),
      );
      expect((await keys.indexes()).map(({ name }) => name)).toContain("by_status");
    });

    test("keys from before lists by status are listed as what was written", async () => {
      const until = new Date(5000);
      const of = (fields: Parameters<typeof sampleRecord>[0]) => documentFromRecord(sampleRecord(fields), 1);
      const graceful = { reason: "superseded", graceEnd: new Date(4000) } as const;
      const documents: [KeyDocument, KeyDocument["listed"]][] = [
        [of({}), { status: "active" }],
        [of({ expireTime: until }), { status: "active", until }],
        [of({ revocation: { reason: "unspecified" }, expireTime: until }), { status: "revoked" }],
        [of({ revocation: graceful, expireTime: until }), { status: "active", until: graceful.graceEnd }],
      ];
      await keys.insertMany(documents.map(([{ listed: _absent, ...document }]) => document as KeyDocument));
      const [current] = documents;
      const changed = { ...of({}), listed: { status: "expired" as const } };
      await keys.insertOne(changed);
      const tombstone = { _id: "t/gone", tenant_id: "t", key_id: "gone", version: 2, deleted: true } as const;
      await keys.insertOne(tombstone as unknown as KeyDocument);

      const store = await openMongoStore(options);
      for (const [document, listed] of documents) {
        expect((await keys.findOne({ _id: document._id }))?.listed).toEqual(listed);
        const record = await store.read({ tenantId: document.tenant_id, keyId: document.key_id });
        expect(record).toMatchObject({ version: 1, listed });
      }
      expect((await keys.findOne({ _id: changed._id }))?.listed).toEqual({ status: "expired" });
      expect(await keys.findOne({ _id: "t/gone" as string })).toEqual(tombstone);
      const { tenant_id: tenantId = "", key_id: keyId } = current?.[0] ?? {};
      const list = await store.list({ tenantId, kind: "issued", status: "active", limit: 10 });
      expect(list.records.map((record) => record.keyId)).toEqual([keyId]);
      expect((await store.listDue(new Date(5001), 10)).map(({ listed }) => listed.until?.getTime())).toEqual([
        4000, 5000,
      ]);
      await store.close();
    });

    test("of a later release opens when that says it may, and is refused otherwise", async () => {
      await migrateMongo(options);
      const later = { version: LATEST + 7, compatible_version: LATEST };
      await schema.updateOne({ _id: "schema" }, { $set: later });
      const store = await openMongoStore(options);
      await store.close();
      await schema.updateOne({ _id: "schema" }, { $set: { compatible_version: LATEST + 1 } });
      const refused = `the database ${database.databaseName} has schema version ${LATEST + 7}, this release knows ${LATEST}: run a newer release`;
      expect(await messageOf(openMongoStore(options))).toBe(refused);
      expect(await messageOf(migrateMongo(options))).toBe(refused);
      expect(await messageOf(readMigrations(options))).toBe(refused);
    });

    test.each([{ version: "2" }, { version: -1, compatible_version: 1 }, {}])(
      "whose version is %j is another program's",
      async (fields) => {
        await schema.insertOne({ _id: "schema", ...fields } as unknown as SchemaDocument);
        expect(await messageOf(openMongoStore(options))).toBe(
          `the database ${database.databaseName} has the schema of another program`,
        );
      },
    );

    test("with another program's keys is left as it is", async () => {
      await database.collection("keys").insertOne({ door: 7 });
      expect(await messageOf(openMongoStore(options))).toBe(
        `the collection keys of the database ${database.databaseName} is another program's`,
      );
      expect((await keys.indexes()).map(({ name }) => name)).toEqual(["_id_"]);
    });
  },
);
