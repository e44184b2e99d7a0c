import type { MigrationStatus } from "../migration-status.js";
import { connectMongo, type MongoServerOptions } from "./connect.js";
import { MIGRATIONS } from "./migrations.js";
import { applyMigrations, pendingMigrations, readSchemaVersion } from "./schema.js";

/** To build an index takes as long as it takes, so no answer is late. */
const WITHOUT_LIMIT = { socketTimeoutMS: 0 };

/** Applies what is pending, and answers what that was. Rejects with UNAVAILABLE; what was applied by then stays. */
export function migrateMongo(server: MongoServerOptions): Promise<readonly MigrationStatus[]> {
  return connectMongo(
    server,
    async ({ client, database, keys, schema }) => {
      const pending = pendingMigrations(await readSchemaVersion(schema, keys));
      await applyMigrations(schema, { database, keys }, pending);
      await client.close();
      return pending.map(({ version, name }) => ({ version, name, isApplied: true }));
    },
    WITHOUT_LIMIT,
  );
}

/** Every migration that this release knows. Rejects with UNAVAILABLE. */
export function readMigrations(server: MongoServerOptions): Promise<readonly MigrationStatus[]> {
  return connectMongo(server, async ({ client, keys, schema }) => {
    const current = await readSchemaVersion(schema, keys);
    await client.close();
    return MIGRATIONS.map(({ version, name }) => ({ version, name, isApplied: version <= current }));
  });
}
