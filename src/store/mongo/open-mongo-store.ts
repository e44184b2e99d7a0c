import { MongoClient } from "mongodb";
import { ServiceError } from "../../errors.js";
import type { KeyStore } from "../key-store.js";
import { withinTime } from "../within-time.js";
import type { LeaseDocument } from "./acquire-lease.js";
import { clientOptions, collectionOptions, databaseName } from "./client-options.js";
import { createIndexes } from "./indexes.js";
import type { KeyDocument } from "./key-document.js";
import { MongoStore } from "./mongo-store.js";
import type { ClaimDocument } from "./take-claim.js";
import { openFailure } from "./unavailable.js";

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`. Its path names the database, by default `latchkey`. */
  readonly uri: string;
  /** Longest time that one call of the store takes. */
  readonly timeoutMs: number;
}

/** Rejects with UNAVAILABLE, and a message that names the servers and what is wrong, when the store cannot be used. */
export async function openMongoStore(options: MongoStoreOptions): Promise<KeyStore> {
  const { uri, timeoutMs } = options;
  const client = createClient(uri, timeoutMs);
  const hosts = client.options.hosts.join(", ") || "the hosts of its SRV record";
  try {
    const database = client.db(databaseName(uri));
    const keys = database.collection<KeyDocument>("keys", collectionOptions);
    const leases = database.collection<LeaseDocument>("leases", collectionOptions);
    const claims = database.collection<ClaimDocument>("claims", collectionOptions);
    await withinTime(database.command({ ping: 1 }), timeoutMs, () => {
      return new ServiceError("UNAVAILABLE", `MongoDB at ${hosts} did not answer within ${timeoutMs} ms`);
    });
    await createIndexes(keys);
    return new MongoStore({ client, database, keys, leases, claims, timeoutMs });
  } catch (error) {
    await client.close();
    throw openFailure(error, hosts, timeoutMs);
  }
}

/** Without the driver's error as a cause: it may quote the URI, and the password in it. */
function createClient(uri: string, timeoutMs: number): MongoClient {
  try {
    databaseName(uri); // its percent-encoding too
    return new MongoClient(uri, clientOptions(timeoutMs));
  } catch {
    throw new ServiceError(
      "UNAVAILABLE",
      "the MongoDB URI cannot be read: see https://www.mongodb.com/docs/manual/reference/connection-string/",
    );
  }
}
