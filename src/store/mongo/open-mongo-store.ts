import { ServiceError } from "../../errors.js";
import { processClock } from "../cache/process-clock.js";
import type { KeyStore } from "../key-store.js";
import type { LeaseDocument } from "./acquire-lease.js";
import { collectionOptions } from "./client-options.js";
import { connectMongo, type MongoConnection, type MongoServerOptions } from "./connect.js";
import { type Deployment, deploymentFromHello } from "./deployment.js";
import { migrateMongo } from "./migrate-mongo.js";
import { LATEST_VERSION } from "./migrations.js";
import { MongoStore, type MongoStoreCache } from "./mongo-store.js";
import { createPolledKeys } from "./polled-keys.js";
import { PollingFeed } from "./polling-feed.js";
import { NO_VERSION, pendingMigrations, readSchemaVersion } from "./schema.js";
import { startPolling } from "./start-polling.js";
import type { ClaimDocument } from "./take-claim.js";

/**
 * Verifications, and the feed that they rest on, have connections of their own, for they must not wait behind lists: two reads in
 * one go at once, a poll, and one that may hang.
 */
const VERIFICATION_POOL = { maxPoolSize: 4, minPoolSize: 2 };

export interface MongoStoreOptions extends MongoServerOptions {
  /** Whether pending migrations are applied first; else they are an error. Default: they are. */
  readonly autoMigrate?: boolean;
  /** Whether that holds for a database that is in use, too, and not only for a new one. Default: it does. */
  readonly upgrade?: boolean;
  /** Told what the store runs on, once it is open. */
  readonly onDeployment?: (deployment: Deployment) => void;
  /** Absent: verifications are answered from the store each time, and it is asked for no changes. */
  readonly cache?: CacheOptions | undefined;
  /** Told once each time that changes cannot be asked for any more. */
  readonly onFeedError?: ((error: unknown) => void) | undefined;
}

/** The configuration's `cache` section has this shape. */
export interface CacheOptions {
  /** No record is used for longer after it was read. */
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly pollIntervalMs: number;
  /** At least MIN_OVERLAP_MS of `polling-feed.ts`. */
  readonly pollOverlapMs: number;
  /** No record is used for longer after it was read, or a poll found no change of it. */
  readonly maxStalenessMs: number;
}

/** Rejects with UNAVAILABLE, and a message that names the servers and what is wrong, when the store cannot be used. */
export function openMongoStore(options: MongoStoreOptions): Promise<KeyStore> {
  return connectMongo(options, async (connection) => {
    await bringUpToDate(connection, options);
    const { client, database, keys, hello } = connection;
    options.onDeployment?.(deploymentFromHello(hello));
    const openStore = async (reads: MongoConnection) =>
      new MongoStore({
        clients: [client, reads.client],
        database,
        keys,
        verifiedKeys: reads.keys,
        leases: database.collection<LeaseDocument>("leases", collectionOptions),
        claims: database.collection<ClaimDocument>("claims", collectionOptions),
        timeoutMs: options.timeoutMs,
        cache: options.cache && createCache(options.cache, reads, options),
      });
    return connectMongo(options, openStore, VERIFICATION_POOL);
  });
}

async function bringUpToDate({ schema, keys }: MongoConnection, options: MongoStoreOptions): Promise<void> {
  const version = await readSchemaVersion(schema, keys);
  if (pendingMigrations(version).length === 0) return;
  const isNew = async () => version === NO_VERSION && (await keys.findOne({}, { projection: { _id: 1 } })) === null;
  if (options.autoMigrate !== false && (options.upgrade !== false || (await isNew()))) {
    await migrateMongo(options);
    return;
  }
  throw new ServiceError(
    "UNAVAILABLE",
    `the database ${schema.dbName} has schema version ${version}, this release needs ${LATEST_VERSION}: run "latchkey migrate up"`,
  );
}

function createCache(
  { pollIntervalMs, pollOverlapMs: overlapMs, ...limits }: CacheOptions,
  { database, keys }: MongoConnection,
  { timeoutMs, onFeedError = () => {} }: MongoStoreOptions,
): MongoStoreCache {
  return {
    options: { ...limits, clock: processClock },
    startFeed: (listener) => {
      const server = createPolledKeys(database, keys, timeoutMs);
      const feed = new PollingFeed({ server, listener, overlapMs, clock: processClock });
      return startPolling({ poll: () => feed.poll(), intervalMs: pollIntervalMs, onError: onFeedError });
    },
  };
}
