import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, and can keep everything back, as a server does that hangs. */
export interface PausableProxy {
  /** Host and port. */
  readonly address: string;
  pause(): void;
  /** Passes on what was kept back, and everything after it. */
  resume(): void;
  close(): Promise<void>;
}

export async function startPausableProxy(server: { host: string; port: number }): Promise<PausableProxy> {
  const sockets = new Set<Socket>();
  let kept: (() => void)[] | undefined;
  const listener = createServer((client) => {
    const upstream = connect(server);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (kept === undefined) to.write(data);
        else kept.push(() => to.write(data));
      });
      from.on("error", () => from.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    pause: () => {
      kept ??= [];
    },
    resume: () => {
      const passed = kept ?? [];
      kept = undefined;
      for (const pass of passed) pass();
    },
    close: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
