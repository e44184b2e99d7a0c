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

/** The same database by way of a proxy on this host and no other server, with no retries by the driver. */
export function proxiedUri(uri: string, port: number): string {
  const proxied = uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/]+/, (_uri, start) => `${start}127.0.0.1:${port}`);
  return `${proxied}${proxied.includes("?") ? "&" : "?"}directConnection=true&retryWrites=false`;
}
