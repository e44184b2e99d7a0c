import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * The port that is asked for, or a free one for 0, which several processes can then be told. Rejects when it cannot be listened
 * on now.
 */
export async function findPort({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  const found = (server.address() as AddressInfo).port;
  server.close();
  await once(server, "close");
  return found;
}
