/** The attackers, in a process of their own (attackers.ts): what they cost is not taken from the client that is measured. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { FloodOrder, FromAttackers, ToAttackers } from "./flood-protocol.js";
import { type FloodWrites, floodWrites } from "./floods.js";

/** Connections that attack at the same time. */
const ATTACKERS = 4;
const FRAMES_PER_WRITE = 200;
/** So many times what was asked for is sent at most, when nobody says stop. */
const MAX_TIMES = 10;
const LIMIT_MS = 30_000;
/** How long an attacker waits for a write, and for the end of a connection. */
const PATIENCE_MS = 500;

let isStopped = false;

process.on("message", (message: ToAttackers) => {
  isStopped = message.kind === "stop";
  if (message.kind === "start") flood(message.order);
});
process.on("disconnect", () => process.exit()); // whoever started it is gone
report({ kind: "ready" });

function report(message: FromAttackers): void {
  process.send?.(message);
}

async function flood({ flood, port, frames }: FloodOrder): Promise<void> {
  const writes = floodWrites(flood, frames, FRAMES_PER_WRITE);
  const end = performance.now() + LIMIT_MS;
  let busy = ATTACKERS;
  const attackers = Array.from({ length: ATTACKERS }, async () => {
    let sent = 0;
    let isEnough = false;
    const mayGoOn = () => !isStopped && performance.now() < end;
    while (mayGoOn() && sent < MAX_TIMES * frames) {
      sent += FRAMES_PER_WRITE * (await attack(port, writes, mayGoOn));
      if (isEnough || sent < frames) continue;
      isEnough = true;
      if (--busy === 0) report({ kind: "enough" });
    }
    return sent;
  });
  const sent = await Promise.all(attackers);
  if (busy > 0) report({ kind: "enough" });
  if (!isStopped) await once(process, "message"); // there is no other than stop by now
  report({ kind: "stopped", sent });
}

/**
 * Writes on a connection of its own until the server has enough of it; answers how many of the batches went out. Reads nothing
 * before. Waits for the server to be done with the connection: what fits into the buffers of the operating system is written
 * long before it is read, and there would be more connections at a time than there are attackers.
 */
async function attack(port: number, { first, batches }: FloodWrites, mayGoOn: () => boolean): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => undefined));
  let sent = 0;
  let isTaken = await write(socket, first, closed);
  for (const bytes of batches) {
    isTaken &&= mayGoOn() && (await write(socket, bytes, closed));
    if (!isTaken) break;
    sent++;
    await yieldToOthers(); // a write that succeeds at once would leave the other attackers no turn
  }
  if (isTaken) {
    socket.resume().end();
    await soon(closed);
  }
  socket.destroy();
  return sent;
}

/** Whether the bytes are with the operating system: a server that takes no more, and says so by nothing, is not waited for. */
async function write(socket: Socket, bytes: Buffer, closed: Promise<void>): Promise<boolean> {
  const written = new Promise<boolean>((resolve) => socket.write(bytes, (error) => resolve(!error)));
  return (await soon(Promise.race([written, closed]))) === true;
}

/** `undefined` when it takes longer than patience. */
function soon<T>(work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => resolve(undefined), PATIENCE_MS);
    work.then((value) => {
      clearTimeout(giveUp);
      resolve(value);
    });
  });
}
