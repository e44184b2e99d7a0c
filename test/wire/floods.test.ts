/**
 * What one connection can do to the others: cheap frames by the thousand, in HTTP/2. The server's memory and another
 * client's latency are measured meanwhile.
 */
import { connect, type Socket } from "node:net";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { envelope } from "../e2e/grpc-wire.js";
import {
  END_HEADERS,
  END_STREAM,
  FrameType,
  frame,
  headersFrame,
  opening,
  resetFrame,
  uint32,
} from "./http2-frames.js";
import { measureWhile, startVictim, VERIFY_PATH, type Victim } from "./victim.js";

/** Generous: of the sessions that were cut, much is not collected yet. */
const MAX_GROWN_BYTES = 200 * 1024 * 1024;
/** The attackers and the client that is measured share a process, and a core with the server's kernel work. */
const MAX_P99_MS = 5_000;
const FRAMES = 20_000;
const FRAMES_PER_WRITE = 200;
/** So few that the slowest of them is their p99; they go on after the flood where that was short. */
const MIN_CALLS = 50;
const LIMIT_MS = 30_000;
const WRITE_LIMIT_MS = 500;
/** Connections that attack at the same time. */
const ATTACKERS = 4;

const HEADERS = {
  ":method": "POST",
  ":scheme": "http",
  ":path": VERIFY_PATH,
  ":authority": "x",
  "content-type": "application/grpc",
  te: "trailers",
};
const CALL = envelope(Buffer.from([0x0a, 0x01, 0x61]));

/** What comes once on a connection, and then again and again, numbered from 0. */
interface Flood {
  readonly first?: Buffer;
  readonly each: (index: number) => Buffer;
}

const idOf = (index: number) => 2 * index + 1;
const FLOODS: Readonly<Record<string, Flood>> = {
  "rapid reset": { each: (index) => Buffer.concat([headersFrame(idOf(index), HEADERS), resetFrame(idOf(index))]) },
  "reset after the whole call": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.data, END_STREAM, id, CALL), resetFrame(id)]);
    },
  },
  "resets that the server is made to send": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.windowUpdate, 0, id, uint32(0))]);
    },
  },
  "calls whose answers are not read": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.data, END_STREAM, id, CALL)]);
    },
  },
  SETTINGS: { each: (index) => frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(index)])) },
  PING: { each: () => frame(FrameType.ping, 0, 0, Buffer.alloc(8)) },
  "empty DATA": { first: headersFrame(1, HEADERS), each: () => frame(FrameType.data, 0, 1) },
  "empty CONTINUATION": {
    first: headersFrame(1, HEADERS, 0),
    each: () => frame(FrameType.continuation, 0, 1),
  },
  PRIORITY: { each: (index) => frame(FrameType.priority, 0, idOf(index), Buffer.alloc(5)) },
  "streams without an end": { each: (index) => headersFrame(idOf(index), HEADERS) },
  "empty header blocks": { each: (index) => frame(FrameType.headers, END_HEADERS, idOf(index)) },
};

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim();
});
afterAll(() => victim.stop());

test.each(Object.entries(FLOODS))(
  "%s",
  async (_name, { first = Buffer.alloc(0), each }) => {
    const opened = Buffer.concat([opening(), first]);
    const batches = Array.from({ length: FRAMES / FRAMES_PER_WRITE }, (_batch, start) =>
      Buffer.concat(
        Array.from({ length: FRAMES_PER_WRITE }, (_frame, index) => each(start * FRAMES_PER_WRITE + index)),
      ),
    );
    const sent: number[] = [];
    const { calls, p99Ms, failures, grownBytes } = await measureWhile(victim, async (callsSoFar) => {
      const end = performance.now() + LIMIT_MS;
      const attackers = Array.from({ length: ATTACKERS }, async () => {
        let frames = 0;
        while (frames < FRAMES && performance.now() < end) {
          frames += FRAMES_PER_WRITE * (await attack([opened, ...batches]));
        }
        sent.push(frames);
      });
      await Promise.all(attackers);
      while (callsSoFar() < MIN_CALLS) await yieldToOthers();
    });
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(MIN_CALLS);
    expect(p99Ms).toBeLessThan(MAX_P99_MS);
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(FRAMES);
    expect(await victim.problems()).toEqual([]);
  },
  60_000,
);

/** Writes on a connection of its own until the server has enough of it; answers how many of the batches went out. Never reads. */
async function attack([opened, ...batches]: readonly Buffer[]): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(victim.url).port) });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => undefined));
  let sent = 0;
  for (const bytes of [opened ?? Buffer.alloc(0), ...batches]) {
    if (!(await write(socket, bytes, closed))) break;
    sent++;
    await yieldToOthers(); // a write that succeeds at once would leave the measuring client no turn
  }
  socket.destroy();
  return Math.max(0, sent - 1);
}

/** Whether the bytes are with the operating system: a server that takes no more, and says so by nothing, is not waited for. */
function write(socket: Socket, bytes: Buffer, closed: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => resolve(false), WRITE_LIMIT_MS);
    const settle = (isWritten: boolean) => {
      clearTimeout(giveUp);
      resolve(isWritten);
    };
    socket.write(bytes, (error) => settle(!error));
    closed.then(() => settle(false));
  });
}
