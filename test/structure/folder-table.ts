/**
 * What each folder of src/ may import, as DESIGN.md section 1 and the folder table of CONTRIBUTING.md say it:
 *
 *     entry   = [ "types of " ] target
 *     target  = folder of src/, its subfolders not included | file of src/ | "gen" | package | "node:*" | "node:" name
 *
 * A longer folder wins. `errors.ts`, and types from `telemetry`, may be imported everywhere.
 */
export const FOLDER_TABLE: Readonly<Record<string, readonly string[] | "everything">> = {
  "src/main.ts": "everything",
  "src/cli/": "everything",
  "src/cli/commands/": [
    "cli",
    "cli/client",
    "config/duration.ts",
    "secrets",
    "transfer/write-new-file.ts",
    "types of @bufbuild/protobuf",
    "commander",
    "yaml",
    "node:*",
  ],
  "src/cli/client/": [
    "cli",
    "rest",
    "secrets",
    "types of config",
    "domain/context.ts",
    "store/store-unreachable-error.ts",
    "types of handlers",
    "gen",
    "@bufbuild/protobuf",
    "@grpc/grpc-js",
    "node:*",
  ],
  "src/config/": ["yaml", "zod", "node:*"],
  "src/container/": ["config", "secrets", "node:*"],
  "src/secrets/": ["credentials", "node:*"],
  "src/server/": [
    "server/connect",
    "server/grpc-unary",
    "server/rest",
    "handlers",
    "gen",
    "@bufbuild/protobuf",
    "@connectrpc/connect",
    "node:*",
  ],
  "src/server/connect/": [
    "server",
    "rest",
    "@bufbuild/protobuf",
    "@connectrpc/connect",
    "@connectrpc/connect-node",
    "node:*",
  ],
  "src/server/grpc-unary/": ["server", "@bufbuild/protobuf", "node:http2"],
  "src/server/rest/": ["server", "rest", "types of @bufbuild/protobuf"],
  "src/rest/": ["gen", "@bufbuild/protobuf"],
  "src/handlers/": [
    "domain",
    "query",
    "store/key-store.ts",
    "credentials/key-id.ts",
    "types of credentials",
    "gen",
    "@bufbuild/protobuf",
    "node:crypto",
    "node:net",
  ],
  "src/domain/": [
    "credentials",
    "query",
    "store/key-store.ts",
    "types of node:crypto",
    "node:net",
    "node:timers/promises",
  ],
  "src/credentials/": ["@scure/base", "jose", "node:crypto"],
  "src/query/": ["types of @bufbuild/protobuf", "node:crypto"],
  "src/store/": ["types of query"],
  "src/store/cache/": ["store", "lru-cache"],
  "src/store/embedded/": ["store", "query", "lmdb", "node:*"],
  "src/store/mongo/": ["store", "store/cache", "query", "mongodb", "node:*"],
  "src/transfer/": ["store/key-store.ts", "csv-parse", "zod", "node:*"],
  "src/telemetry/": ["pino", "node:fs"],
  "src/errors.ts": [],
};

const ALWAYS_ALLOWED = ["errors.ts", "types of telemetry"];
const TYPES_OF = "types of ";

/** The rows that may use `process.env`. */
export const ENVIRONMENT_READERS = ["src/main.ts", "src/config/", "src/container/"];

/** The row of the table that a file belongs to: the file's own, or its folder's. */
export function rowOf(file: string): string {
  return file in FOLDER_TABLE ? file : file.slice(0, file.lastIndexOf("/") + 1);
}

/** Whether the files of a row may import `target`: a file such as `src/domain/get-key.ts`, or a module's name. */
export function mayImport(row: string, target: string, isTypeOnly: boolean): boolean {
  const allowed = FOLDER_TABLE[row];
  if (allowed === undefined) return false;
  if (allowed === "everything" || rowOf(target) === row) return true;
  return [...allowed, ...ALWAYS_ALLOWED].some((entry) => {
    if (!entry.startsWith(TYPES_OF)) return covers(entry, target);
    return isTypeOnly && covers(entry.slice(TYPES_OF.length), target);
  });
}

function covers(entry: string, target: string): boolean {
  if (entry === "node:*") return target.startsWith("node:");
  if (target.startsWith("gen/")) return entry === "gen";
  if (!target.startsWith("src/")) return target === entry || target.startsWith(`${entry}/`);
  return target === `src/${entry}` || rowOf(target) === `src/${entry}/`;
}

/** A row's cell in the last column of CONTRIBUTING.md's table. */
export function describeAllowed(row: string): string {
  const allowed = FOLDER_TABLE[row] ?? [];
  if (allowed === "everything") return allowed;
  if (allowed.length === 0) return "nothing";
  return allowed.map((entry) => entry.replace(/[^ ]+$/, "`$&`")).join(", ");
}
