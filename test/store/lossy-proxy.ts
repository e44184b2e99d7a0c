import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of one command: it never arrives, or it is carried out and its reply never arrives. */
export type Fate = "lost on the way" | "reply lost";

/** Stands between a MongoDB driver and a server, and loses the commands that it is told to, each with its connection. */
export interface LossyProxy {
  readonly port: number;
  /** The next commands of that name meet these fates, in turn; those after them none. */
  lose(command: string, ...fates: Fate[]): void;
  /** How many are still to be lost. */
  readonly left: number;
  close(): Promise<void>;
}

/**
 * The head of an OP_MSG, as far as it is looked at: the length in the first four bytes, the kind of the first section (0: the
 * command as one BSON document), and the name of the document's first field, which is that of the command.
 * https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
 */
const LENGTH_BYTES = 4;
const KIND_OFFSET = 20;
const COMMAND_OFFSET = 26;

export async function startLossyProxy(server: { host: string; port: number }): Promise<LossyProxy> {
  const pending: { command: string; fate: Fate }[] = [];
  const sockets = new Set<Socket>();

  const listener = createServer((client) => {
    const upstream = connect(server);
    let isReplyLost = false;
    let received = Buffer.alloc(0);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    upstream.on("data", (data) => {
      if (isReplyLost) end();
      else client.write(data);
    });
    client.on("data", (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= LENGTH_BYTES && received.length >= received.readInt32LE()) {
        const message = received.subarray(0, received.readInt32LE());
        received = received.subarray(message.length);
        const command = commandOf(message);
        const fate = pending[0]?.command === command ? pending.shift()?.fate : undefined;
        if (fate === "lost on the way") {
          end();
          return;
        }
        isReplyLost = fate === "reply lost";
        upstream.write(message);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    lose(command, ...fates) {
      pending.push(...fates.map((fate) => ({ command, fate })));
    },
    get left() {
      return pending.length;
    },
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function commandOf(message: Buffer): string | undefined {
  if (message[KIND_OFFSET] !== 0) return undefined;
  return message.toString("latin1", COMMAND_OFFSET, message.indexOf(0, COMMAND_OFFSET));
}
