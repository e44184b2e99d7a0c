import { type Db, type Document, MongoClient, type MongoClientOptions } from "mongodb";
import { ServiceError } from "../../errors.js";
import { StoreUnreachableError } from "../store-unreachable-error.js";
import { withinTime } from "../within-time.js";
import { clientOptions, collectionOptions, databaseName } from "./client-options.js";
import type { KeyCollection, KeyDocument } from "./key-document.js";
import type { SchemaCollection, SchemaDocument } from "./migrations.js";
import { openFailure } from "./unavailable.js";

export interface MongoServerOptions {
  /** `mongodb://` or `mongodb+srv://`. Its path names the database, by default `latchkey`. */
  readonly uri: string;
  /** Longest time that one call of the store takes. */
  readonly timeoutMs: number;
}

export interface MongoConnection {
  readonly client: MongoClient;
  readonly database: Db;
  /** What the server says of itself. */
  readonly hello: Document;
  readonly keys: KeyCollection;
  readonly schema: SchemaCollection;
}

/**
 * Connects, and hands the connection to `use`, whose result keeps it; when something fails it is closed. Rejects with
 * UNAVAILABLE, as a StoreUnreachableError or for good, and a message that names the servers and what is wrong. `more` are options of the driver besides.
 */
export async function connectMongo<T>(
  { uri, timeoutMs }: MongoServerOptions,
  use: (connection: MongoConnection) => Promise<T>,
  more: MongoClientOptions = {},
): Promise<T> {
  const client = createClient(uri, { ...clientOptions(uri, timeoutMs), ...more });
  const hosts = client.options.hosts.join(", ") || "the hosts of its SRV record";
  try {
    const database = client.db(databaseName(uri));
    const hello = await withinTime(database.command({ hello: 1 }), timeoutMs, () => {
      return new StoreUnreachableError(`MongoDB at ${hosts} did not answer within ${timeoutMs} ms`);
    });
    return await use({
      client,
      database,
      hello,
      keys: database.collection<KeyDocument>("keys", collectionOptions),
      schema: database.collection<SchemaDocument>("schema", collectionOptions),
    });
  } catch (error) {
    await client.close();
    throw openFailure(error, hosts, timeoutMs);
  }
}

/** Without the driver's error as a cause: it may quote the URI, and the password in it. */
function createClient(uri: string, options: MongoClientOptions): MongoClient {
  try {
    databaseName(uri); // its percent-encoding too
    return new MongoClient(uri, options);
  } catch {
    throw new ServiceError(
      "UNAVAILABLE",
      "the MongoDB URI cannot be read: see https://www.mongodb.com/docs/manual/reference/connection-string/",
    );
  }
}
