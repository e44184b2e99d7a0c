import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

export interface Proxy {
  readonly address: string;
  /** Connections so far. */
  readonly taken: number;
  /** Where new connections go from now on; those that there are stay where they are. */
  redirect(target: string): void;
  /** On the connections that there are no answer gets through any more. */
  withhold(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Cuts every connection and takes no new one. */
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Passes the client's bytes on in pieces of so many, with a turn of the event loop between them. */
  readonly pieceBytes?: number;
}

/** A TCP proxy in front of `target` (host and port). */
export async function startProxy(target: string, { pieceBytes }: ProxyOptions = {}): Promise<Proxy> {
  let current = target;
  let taken = 0;
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const server = createServer((client) => {
    taken += 1;
    const { hostname, port } = new URL(`tcp://${current}`);
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // "close" follows
    }
    client.on("close", () => upstream.destroy());
    // What the service has said gets through; what the client goes on saying does not matter.
    upstream.on("close", () => client.end().resume());
    upstreams.add(upstream);
    upstream.pipe(client);
    if (pieceBytes === undefined) client.pipe(upstream);
    else forwardInPieces(client, upstream, pieceBytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    upstreams.clear();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get taken() {
      return taken;
    },
    withhold: () => {
      for (const upstream of upstreams) upstream.unpipe();
    },
    cut,
    redirect: (next) => {
      current = next;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      cut();
      await closed;
    },
  };
}

function forwardInPieces(from: Socket, to: Socket, pieceBytes: number): void {
  let last: Promise<void> = Promise.resolve();
  from.on("data", (chunk) => {
    last = last.then(async () => {
      for (let start = 0; start < chunk.length; start += pieceBytes) {
        to.write(chunk.subarray(start, start + pieceBytes));
        await turn();
      }
    });
  });
}
