/**
 * The LMDB environment of one directory and its tables.
 *
 * How lmdb-js is set up, and what was checked in its source (3.5.6) and by experiment:
 *
 * - **Durable when acknowledged.** With `overlappingSync`, its default, the promise of a write may resolve when the write is
 *   visible, before it is flushed (its README, "Overlapping Sync Options"). So it is off: the write thread then calls
 *   `mdb_txn_commit` without MDB_NOSYNC, which writes the pages, calls `fdatasync` (`mdb_env_sync0`), writes the meta page
 *   through a descriptor opened with O_DSYNC, and only then sets TXN_COMMITTED, which resolves the promises (writer.cpp,
 *   `WriteWorker::Write`). strace shows exactly that order before each acknowledgement. Throughput is the same: commits are
 *   batched either way.
 * - **Reads see other processes' writes.** lmdb-js keeps a read transaction, that is a snapshot, until a timer or an own
 *   commit resets it. A request that arrives before that timer would be answered from the past: in an experiment 917 of
 *   1,500 reads were. `latest` therefore resets it before the first read of each turn of the event loop's callbacks: what is
 *   answered in the turn was asked before it began, so no read of it is older than its request.
 * - **All or nothing.** Each change runs in a child transaction of the batch (`childTransaction`): an error in the middle of it
 *   undoes it alone. Its callback is synchronous and holds LMDB's write lock, which all processes share, so nothing can come
 *   between its reads and its writes.
 * - **A failed commit ends nothing.** With `eventTurnBatching`, its default, lmdb-js starts batches with a promise that nobody
 *   can handle, so that a full disk would end the process as an unhandled rejection. It is off; callbacks that are queued
 *   while a commit runs still share the next one.
 * - **The map grows by itself** when a write needs it, and again when a reader meets a file that another process made larger.
 * - **One environment per directory and process.** A second one could wait for the write lock on the main thread while the
 *   write thread of the first holds it and waits for the main thread: a deadlock, easily provoked. So opens of one directory
 *   share it. (Worker threads have an environment each; a worker that waits blocks only itself.)
 */
import { realpathSync } from "node:fs";
import { type Database, open, type RootDatabase, type RootDatabaseOptionsWithPath } from "lmdb";
import { ServiceError } from "../../errors.js";
import { checkDataFile, prepareDirectory, reasonOf, syncDirectory } from "./check-directory.js";
import { addStatusTables } from "./key-table.js";
import { commitFailure } from "./unavailable.js";

type Table<V> = Database<V, Uint8Array>;

export interface Tables {
  /** Record key -> a stored entry (see stored-entry.ts). */
  readonly records: Table<string>;
  /** The index tables: the key says it all, the value is empty. Keys as in index-keys.ts. */
  readonly byKind: Table<Uint8Array>;
  readonly byActor: Table<Uint8Array>;
  readonly byStatus: Table<Uint8Array>;
  readonly byActorAndStatus: Table<Uint8Array>;
  readonly due: Table<Uint8Array>;
  readonly since: Table<Uint8Array>;
  readonly pending: Table<Uint8Array>;
  readonly sealed: Table<Uint8Array>;
  readonly tombstones: Table<Uint8Array>;
  /** Lease name -> JSON. */
  readonly leases: Table<string>;
  /** Name of a claim -> what is stored under it. */
  readonly claims: Table<Uint8Array>;
}

export interface Environment extends Tables {
  /** Runs `read` on what is committed now, by any process. */
  latest<T>(read: () => T): T;
  /** Runs a synchronous change alone and as a whole; resolves with its result when that is durable. */
  change<T>(write: () => T): Promise<T>;
  /**
   * Clears the snapshots of processes that have died. Until then LMDB uses no page again that was given up since they were taken,
   * so that every change makes the file grow. It looks at the lock file alone, and costs microseconds.
   */
  clearDeadReaders(): void;
  close(): Promise<void>;
}

/** A directory whose tables are not opened, whatever format they have. */
export interface ClosedTables {
  /** Copies what is committed now into a directory that holds no copy yet, without what was deleted. Others go on meanwhile. */
  copyTo(directory: string): Promise<void>;
  /** The format that the directory has now. `undefined`: none yet. Throws for one of a later release. */
  readFormat(): DirectoryFormat | undefined;
  close(): Promise<void>;
}

/** Of the whole directory: tables and keys. Records say their own format besides. The first had no tables by status. */
export const DIRECTORY_FORMATS = ["1", "2"] as const;
export type DirectoryFormat = (typeof DIRECTORY_FORMATS)[number];
const LATEST_FORMAT = "2";
const FORMAT_KEY = Buffer.from("format");

const FILE_MODE = 0o600;
const MAX_TABLES = 16;

interface SharedRoot {
  readonly root: RootDatabase<string, Uint8Array>;
  /** Absent: nobody has opened the tables yet. */
  environment?: Omit<Environment, "close">;
  users: number;
}

const sharedRoots = new Map<string, SharedRoot>();

/**
 * The tables of a directory, which is made when it is not there. One of an earlier format is brought up to date if `upgrade` is set.
 * Throws an error that names the directory and says what is wrong with it.
 */
export function openEnvironment(directory: string, upgrade: boolean): Environment {
  prepareDirectory(directory);
  const { shared, path, close } = takeRoot(directory);
  try {
    shared.environment ??= openTables(shared.root, upgrade);
    syncDirectory(path);
    return { ...shared.environment, close };
  } catch (error) {
    void close();
    throw cannotBeOpened(path, error);
  }
}

/** A directory that is there, as it is: nothing in it is made or changed. Throws as `openEnvironment` does. */
export function openClosedTables(directory: string): ClosedTables {
  const { shared, path, close } = takeRoot(directory);
  const { root } = shared;
  return {
    copyTo: (target) => root.backup(target, true),
    readFormat() {
      try {
        return readFormat(openTexts(root, "meta"));
      } catch (error) {
        throw cannotBeOpened(path, error);
      }
    },
    close,
  };
}

function takeRoot(directory: string): { shared: SharedRoot; path: string; close: () => Promise<void> } {
  const path = realpathSync(directory);
  const shared = sharedRoots.get(path) ?? { root: openRoot(path), users: 0 };
  sharedRoots.set(path, shared);
  shared.users += 1;
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    shared.users -= 1;
    if (shared.users > 0) return;
    sharedRoots.delete(path);
    await shared.root.close();
  };
  return { shared, path, close };
}

function openRoot(path: string): RootDatabase<string, Uint8Array> {
  checkDataFile(path);
  const options: RootDatabaseOptionsWithPath & { permissionsMode: number } = {
    path,
    noSubdir: false, // else a directory whose name has a dot would be taken for a file
    overlappingSync: false,
    eventTurnBatching: false,
    keyEncoding: "binary",
    encoding: "string",
    maxDbs: MAX_TABLES,
    permissionsMode: FILE_MODE,
  };
  try {
    return open<string, Uint8Array>(options);
  } catch (error) {
    throw cannotBeOpened(path, error);
  }
}

function cannotBeOpened(path: string, error: unknown): ServiceError {
  return new ServiceError("UNAVAILABLE", `the store directory ${path} cannot be opened: ${reasonOf(error)}`, {
    cause: error,
  });
}

function openTexts(root: RootDatabase<string, Uint8Array>, name: string): Table<string> {
  return root.openDB<string, Uint8Array>({ name, keyEncoding: "binary", encoding: "string" });
}

function openTables(root: RootDatabase<string, Uint8Array>, upgrade: boolean): Omit<Environment, "close"> {
  const texts = (name: string) => openTexts(root, name);
  const bytes = (name: string) =>
    root.openDB<Uint8Array, Uint8Array>({ name, keyEncoding: "binary", encoding: "binary" });

  const meta = texts("meta");
  const isOlder = (format: DirectoryFormat | undefined) => format !== undefined && format !== LATEST_FORMAT;
  const before = readFormat(meta);
  if (isOlder(before) && !upgrade) {
    throw new Error(
      `it has format ${before}, this release needs format ${LATEST_FORMAT}: stop the services of the release before, then run "latchkey migrate up"`,
    );
  }
  const tables = {
    records: texts("records"),
    byKind: bytes("by-kind"),
    byActor: bytes("by-actor"),
    byStatus: bytes("by-status"),
    byActorAndStatus: bytes("by-actor-and-status"),
    due: bytes("due"),
    since: bytes("since"),
    pending: bytes("pending"),
    sealed: bytes("sealed"),
    tombstones: bytes("tombstones"),
    leases: texts("leases"),
    claims: bytes("claims"),
  };
  // Another process may have brought it up to date since.
  root.transactionSync(() => {
    const format = readFormat(meta);
    if (format === LATEST_FORMAT) return;
    if (isOlder(format)) addStatusTables(tables);
    meta.put(FORMAT_KEY, LATEST_FORMAT);
  });

  let isLatest = false;
  const expire = () => {
    isLatest = false;
  };
  return {
    ...tables,
    latest(read) {
      if (!isLatest) {
        root.resetReadTxn();
        isLatest = true;
        process.nextTick(expire);
      }
      return read();
    },
    async change(write) {
      try {
        return await root.childTransaction(write);
      } catch (error) {
        throw await commitFailure(error);
      }
    },
    clearDeadReaders: () => void root.readerCheck(),
  };
}

/** `undefined`: the directory is new. Throws for one of a later release. */
function readFormat(meta: Table<string>): DirectoryFormat | undefined {
  const format = meta.get(FORMAT_KEY);
  if (format === undefined) return undefined;
  const known = DIRECTORY_FORMATS.find((one) => one === format);
  if (known !== undefined) return known;
  throw new Error(`it has format ${format}, this release reads format ${LATEST_FORMAT}`);
}
