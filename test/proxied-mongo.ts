import { MongoClient } from "mongodb";

/** Where writes go: of a replica set the primary, else the one server that the URI names. */
export async function primaryOf(uri: string): Promise<{ host: string; port: number }> {
  const client = new MongoClient(uri);
  try {
    const { primary } = await client.db().command({ hello: 1 });
    const [address] = client.options.hosts;
    const name = typeof primary === "string" ? primary : `${address}`;
    const [host = "", port = "27017"] = name.split(":");
    return { host, port: Number(port) };
  } finally {
    await client.close();
  }
}

/**
 * The same database by way of a proxy and no other server, at `host:port`. A server that failed is looked at again soon, which is
 * what a next try waits for.
 */
export function proxiedUri(uri: string, address: string): string {
  const proxied = uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/]+/, (_uri, start) => `${start}${address}`);
  return `${proxied}${proxied.includes("?") ? "&" : "?"}directConnection=true&minHeartbeatFrequencyMS=50`;
}
