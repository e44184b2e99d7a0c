import type { Db, Document } from "mongodb";
import { ServiceError } from "../../errors.js";
import type { Change } from "../cache/change-feed.js";
import { withinTime } from "../within-time.js";
import { INDEX } from "./indexes.js";
import type { KeyCollection } from "./key-document.js";
import type { PolledServer, ServerState } from "./polling-feed.js";
import { serverTime } from "./server-time.js";

/** What takes longer is given up, and the next poll begins. It confirms nothing by then. */
const MAX_ANSWER_MS = 2_000;

/** The keys as the polling feed asks for them: the primary, by the index on `changed_at`. */
export function createPolledKeys(database: Db, keys: KeyCollection, timeoutMs: number): PolledServer {
  const limitMs = Math.min(timeoutMs, MAX_ANSWER_MS);
  const inTime = <T>(answer: Promise<T>) => withinTime(answer, limitMs, lateAnswer);
  return {
    readState: async () => serverState(await inTime(database.command({ hello: 1 }, { readPreference: "primary" }))),
    async readChanges(sinceMs, limit) {
      // That it exists is said for the planner: the index holds only such documents.
      const changed = { changed_at: { $exists: true, $gte: new Date(sinceMs) } };
      const projection = { _id: 1, version: 1, changed_at: 1 } as const;
      const options = { hint: INDEX.changes, projection, limit, batchSize: limit, maxTimeMS: limitMs };
      const found = await inTime(keys.find(changed, options).toArray());
      return found.map(
        ({ _id, version, changed_at }): Change => ({
          name: _id,
          version: Number(version),
          changedAtMs: changed_at?.getTime(),
        }),
      );
    },
  };
}

function lateAnswer(): ServiceError {
  return new ServiceError("UNAVAILABLE", "the key store did not tell its changes in time");
}

/**
 * What an answer to `hello` tells. A member of a replica set names itself, its process and its election. A mongos tells of itself
 * and nothing of the servers behind it, and there may be several of them, so nothing of that is taken. FerretDB tells nothing.
 * https://www.mongodb.com/docs/manual/reference/command/hello/
 */
export function serverState(hello: Document): ServerState {
  const { msg, me, electionId, topologyVersion } = hello;
  const isMongos = msg === "isdbgrid";
  const parts = isMongos ? [] : [me, electionId, topologyVersion?.processId];
  return { timeMs: serverTime(hello).getTime(), identity: parts.map((part) => `${part ?? ""}`).join(" ") };
}
