import { MongoClient } from "mongodb";
import type { Api } from "./api.js";
import { eventually } from "./eventually.js";

/** Later than this a feed has settled. */
const SETTLED_MS = 5_000;

/** Changes whose a key is as nothing in the service does: no feed hears of it. */
export type SetActor = (keyId: string, actorId: string) => Promise<void>;

/** In the database that the URI names. */
export function createSetActor(uri: string): SetActor {
  return async (keyId, actorId) => {
    const client = new MongoClient(uri);
    try {
      await client
        .db()
        .collection("keys")
        .updateOne({ key_id: keyId }, { $set: { actor_id: actorId } });
    } finally {
      await client.close();
    }
  };
}

/** Once after its start a feed drops what was read before it knew enough of the server's clock: here, at the latest then. */
export async function settleFeed(api: Api, setActor: SetActor): Promise<void> {
  const startMs = performance.now();
  const { secret, issued_api_key: key } = await api.issue({ actor_id: "first" });
  await api.verify(secret);
  await setActor(key.key_id, "second");
  await eventually("the feed to settle", async () => {
    const { actor_id } = await api.verify(secret);
    return actor_id === "second" || performance.now() - startMs > SETTLED_MS ? true : undefined;
  });
}
