import { ServiceError } from "../../errors.js";
import type { KeyStore } from "../key-store.js";
import type { LeaseDocument } from "./acquire-lease.js";
import { collectionOptions } from "./client-options.js";
import { connectMongo, type MongoConnection, type MongoServerOptions } from "./connect.js";
import { type Deployment, deploymentFromHello } from "./deployment.js";
import { migrateMongo } from "./migrate-mongo.js";
import { LATEST_VERSION } from "./migrations.js";
import { MongoStore } from "./mongo-store.js";
import { pendingMigrations, readSchemaVersion } from "./schema.js";
import type { ClaimDocument } from "./take-claim.js";

export interface MongoStoreOptions extends MongoServerOptions {
  /** Whether pending migrations are applied first; else they are an error. Default: they are. */
  readonly autoMigrate?: boolean;
  /** Told what the store runs on, once it is open. */
  readonly onDeployment?: (deployment: Deployment) => void;
}

/** Rejects with UNAVAILABLE, and a message that names the servers and what is wrong, when the store cannot be used. */
export function openMongoStore(options: MongoStoreOptions): Promise<KeyStore> {
  return connectMongo(options, async (connection) => {
    await bringUpToDate(connection, options);
    const { client, database, keys, hello } = connection;
    options.onDeployment?.(deploymentFromHello(hello));
    return new MongoStore({
      client,
      database,
      keys,
      leases: database.collection<LeaseDocument>("leases", collectionOptions),
      claims: database.collection<ClaimDocument>("claims", collectionOptions),
      timeoutMs: options.timeoutMs,
    });
  });
}

async function bringUpToDate({ schema, keys }: MongoConnection, options: MongoStoreOptions): Promise<void> {
  const version = await readSchemaVersion(schema, keys);
  if (pendingMigrations(version).length === 0) return;
  if (options.autoMigrate !== false) {
    await migrateMongo(options);
    return;
  }
  throw new ServiceError(
    "UNAVAILABLE",
    `the database ${schema.dbName} has schema version ${version}, this release needs ${LATEST_VERSION}: run "latchkey migrate up"`,
  );
}
