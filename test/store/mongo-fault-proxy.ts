import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Document } from "mongodb";
import { primaryOf, proxiedUri } from "../proxied-mongo.js";
import { MessageReader, readDocument, type WireMessage, writeReply } from "./op-msg.js";

/** What becomes of one command. */
export type Fate =
  /** It never arrives, and its connection ends. */
  | "lost on the way"
  /** It is carried out, and its connection ends before the reply. */
  | "reply lost"
  /** It is carried out, and its connection ends in the middle of the reply. */
  | "reply cut off"
  /** It never arrives, and its connection stays open. */
  | "swallowed"
  /** It is carried out, and its connection stays open without a reply. */
  | "never answered"
  /** It arrives later, also when whoever sent it has gone by then; its reply may be lost, too. */
  | { readonly heldUntil: Promise<void>; readonly isReplyLost?: boolean }
  /** It never arrives, and gets this answer. */
  | { readonly refusal: Document }
  /** It is carried out, and another reply made of the server's. */
  | { readonly reply: (reply: Document) => Document };

export interface Command {
  /** As the server knows it: `findAndModify`, `insert`. Every kind of greeting is `hello`. */
  readonly name: string;
  readonly document: Document;
}

/** Stands between a MongoDB driver and a server, and does to commands what it is told to. */
export interface FaultProxy {
  /** Of the database behind it, for a driver that shall know no other server. */
  readonly uri: string;
  /** As in messages: host and port. */
  readonly address: string;
  /** The next commands of that name meet these fates, in turn. */
  meet(name: string, ...fates: Fate[]): void;
  /** When none is left. */
  allMet(): Promise<void>;
  /** Every command that `applies` meets this fate, until the function that is answered is called. */
  meetAlways(applies: (command: Command) => boolean, fate: Fate): () => void;
  /** How many fates of `meet` are still to come. */
  readonly left: number;
  /** Whether every command that was held has been carried out by now. */
  readonly isQuiet: boolean;
  close(): Promise<void>;
}

/** `{ ok: 0 }` with a code, as a server refuses a command. */
export function refusal(code: number, codeName: string): { readonly refusal: Document } {
  return { refusal: { ok: 0, code, codeName, errmsg: `refused by the test: ${codeName}` } };
}

/** For a server without TLS. */
export async function startFaultProxy(uri: string): Promise<FaultProxy> {
  const server = await primaryOf(uri);
  const due: { readonly name: string; readonly fate: Fate }[] = [];
  const waiters: (() => void)[] = [];
  const standing = new Set<{ applies: (command: Command) => boolean; fate: Fate }>();
  const sockets = new Set<Socket>();
  const held = new Set<WireMessage>();

  const fateOf = (command: Command): Fate | undefined => {
    const index = due.findIndex(({ name }) => name === command.name);
    const [next] = index < 0 ? [] : due.splice(index, 1);
    if (due.length === 0) for (const resolve of waiters.splice(0)) resolve();
    return next?.fate ?? [...standing].find(({ applies }) => applies(command))?.fate;
  };

  const listener = createServer((client) => {
    const upstream = connect(server);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
    relay({ client, upstream, held, fateOf });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    uri: proxiedUri(uri, address),
    address,
    meet(name, ...fates) {
      due.push(...fates.map((fate) => ({ name, fate })));
    },
    async allMet() {
      if (due.length > 0) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    meetAlways(applies, fate) {
      const entry = { applies, fate };
      standing.add(entry);
      return () => standing.delete(entry);
    },
    get left() {
      return due.length;
    },
    get isQuiet() {
      return held.size === 0;
    },
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Relay {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Of every connection: what was held and is not answered yet. */
  readonly held: Set<WireMessage>;
  readonly fateOf: (command: Command) => Fate | undefined;
}

/** One connection. Replies are matched to their commands by request id. */
function relay({ client, upstream, held, fateOf }: Relay): void {
  const awaited = new Map<number, { request: WireMessage; fate: Fate | undefined }>();
  let isHeld = false;
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  upstream.on("error", end).on("close", end);
  client.on("error", () => client.destroy());
  client.on("close", () => {
    if (!isHeld) upstream.destroy();
  });

  const forward = (request: WireMessage, fate: Fate | undefined) => {
    awaited.set(request.requestId, { request, fate });
    upstream.write(request.bytes);
  };
  const receive = async (request: WireMessage) => {
    const fate = fateOf(commandIn(request));
    if (fate === "swallowed") return;
    if (fate === "lost on the way") end();
    else if (typeof fate === "object" && "refusal" in fate) client.write(writeReply(request, fate.refusal));
    else if (typeof fate === "object" && "heldUntil" in fate) {
      isHeld = true;
      held.add(request);
      await fate.heldUntil;
      forward(request, fate.isReplyLost ? "reply lost" : undefined);
    } else forward(request, fate);
  };
  const answer = (reply: WireMessage) => {
    const { request, fate } = awaited.get(reply.responseTo) ?? {};
    if (request !== undefined) held.delete(request);
    if (fate === "never answered") return;
    if (fate === "reply lost") end();
    else if (fate === "reply cut off") client.end(reply.bytes.subarray(0, reply.bytes.length / 2));
    else if (request !== undefined && typeof fate === "object" && "reply" in fate) {
      client.write(writeReply(request, fate.reply(readDocument(reply))));
    } else if (client.writable) client.write(reply.bytes);
    else end();
  };

  const [requests, replies] = [new MessageReader(), new MessageReader()];
  client.on("data", (bytes) => requests.read(bytes).forEach((request) => void receive(request)));
  upstream.on("data", (bytes) => replies.read(bytes).forEach(answer));
}

function commandIn(request: WireMessage): Command {
  const document = readDocument(request);
  const [name = ""] = Object.keys(document);
  return { name: /^ismaster$/i.test(name) ? "hello" : name, document };
}
