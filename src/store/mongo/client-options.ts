import type { CollectionOptions, MongoClientOptions } from "mongodb";

/**
 * Longest time that the server may take for a write, however long a call may take. `changed_at` is the server's time when it
 * writes, and whoever follows the changes by it looks back over this much and what a poll takes.
 */
export const MAX_WRITE_TIME_MS = 2_000;

/** The server's limit (`maxTimeMS`) for a write of a call that has so much time left. 0 would mean no limit. */
export function writeTimeMs(leftMs: number): number {
  return Math.max(1, Math.min(MAX_WRITE_TIME_MS, Math.ceil(leftMs)));
}

/** Of a call's time, how much the driver waits for a connection. It knows the reason; the limit of the call does not. */
const SHARE_OF_CONNECTING = 0.9;
/** Of a call's time, how much it waits for an answer. The rest is for another try: the connection may be dead unnoticed. */
const SHARE_OF_ANSWERING = 0.5;

/**
 * What the driver is told, each on purpose. The URI says where the servers are and how to get in: hosts, TLS (`tls=true`,
 * `tlsCAFile`), SCRAM (user and password) or X.509 (`authMechanism=MONGODB-X509`, `tlsCertificateKeyFile`).
 */
export function clientOptions(uri: string, timeoutMs: number): MongoClientOptions {
  const connectingMs = shareOf(timeoutMs, SHARE_OF_CONNECTING);
  return {
    ...unlessInUri(uri),
    // The driver's `timeoutMS` does nothing in 7.x, so every way to wait gets a limit: for a server, for a connection to
    // open, for a free one, for an answer. The store bounds each call as a whole besides (within-time.ts).
    serverSelectionTimeoutMS: connectingMs,
    connectTimeoutMS: connectingMs,
    waitQueueTimeoutMS: connectingMs,
    socketTimeoutMS: shareOf(timeoutMs, SHARE_OF_ANSWERING),
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

/** In whole milliseconds. 0 would mean no limit. */
function shareOf(timeoutMs: number, share: number): number {
  return Math.max(1, Math.floor(timeoutMs * share));
}

/** What depends on the deployment, so that a URI may say otherwise. (Options in the client's own would win over it.) */
function unlessInUri(uri: string): MongoClientOptions {
  const defaults: MongoClientOptions = {
    // Names this service in the server's log and in currentOp.
    appName: "latchkey",
    // Operations at once on one server; others wait for their turn. Each costs the server a thread and up to 1 MiB, times the
    // processes of the service. A majority write holds its connection while it is replicated, so there have to be some. None
    // is kept open on purpose: the sweeper and health checks use one often enough.
    maxPoolSize: 50,
    // Load balancers and firewalls forget idle connections without a word, after four minutes or more.
    maxIdleTimeMS: 180_000,
    // A key is some hundred bytes: to compress it takes longer than to send it. (`compressors=zlib` where traffic is dear.)
    compressors: ["none"],
  };
  const named = new Set([...new URLSearchParams(uri.split("?")[1]).keys()].map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !named.has(name.toLowerCase())));
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
