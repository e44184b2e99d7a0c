import type { CollectionOptions, MongoClientOptions } from "mongodb";

/**
 * Longest time that the server may take for a write, however long a call may take. `changed_at` is the server's time when it
 * writes, and whoever follows the changes by it looks back over this much and what a poll takes.
 */
const MAX_WRITE_TIME_MS = 2_000;

/** The server's limit (`maxTimeMS`) for a write of a call that has so much time left. 0 would mean no limit. */
export function writeTimeMs(leftMs: number): number {
  return Math.max(1, Math.min(MAX_WRITE_TIME_MS, Math.ceil(leftMs)));
}

/** What the driver is told, each on purpose. The URI may set the rest: TLS, credentials, pool size, compression. */
export function clientOptions(timeoutMs: number): MongoClientOptions {
  return {
    // Names this service in the server's log and in currentOp.
    appName: "latchkey",
    // The driver's `timeoutMS` does nothing in 7.x, so every way to wait gets the limit: for a server, for a connection to
    // open, for a free one, for an answer. The store bounds each call as a whole besides (within-time.ts).
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    // A read that meets a fail-over is asked once more. Writes are the store's to try again (write-until-known.ts): the driver's
    // way needs a replica set or a sharded cluster, and some compatible servers refuse it.
    retryReads: true,
    retryWrites: false,
    // An absent optional field must not be stored as null.
    ignoreUndefined: true,
    // An int64 comes back as a bigint, always: a quota of 2^63 - 1 has no exact number. Versions are int32 and come back as
    // numbers.
    useBigInt64: true,
    // Binary fields come back as buffers.
    promoteBuffers: true,
  };
}

/**
 * A write is acknowledged when it survives a fail-over, and a crash of a lone server (`journal`). A read sees every such write,
 * so it asks the primary, whatever the URI prefers.
 */
export const collectionOptions: CollectionOptions = {
  writeConcern: { w: "majority", journal: true },
  readConcern: { level: "majority" },
  readPreference: "primary",
};

/** The database that the URI's path names, else `latchkey`. (The driver's own default is `test`.) */
export function databaseName(uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^?]*)/.exec(uri)?.[1];
  return path === undefined || path === "" ? "latchkey" : decodeURIComponent(path);
}
