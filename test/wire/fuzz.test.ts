/**
 * Bytes that no client would send, to a real process: whatever they are, it lives on, says nothing of an unexpected error,
 * keeps its memory and serves the others. `LATCHKEY_TEST_FUZZ_SECONDS` makes it longer, and `LATCHKEY_TEST_FUZZ_SEED`
 * something else.
 */
import { connect, type Socket } from "node:net";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createRandom } from "../e2e/create-random.js";
import { createConversation, type Random } from "./mutate.js";
import { measureWhile, startVictim, type Victim } from "./victim.js";

const SECONDS = Number(process.env.LATCHKEY_TEST_FUZZ_SECONDS ?? 10);
const SEED = Number(process.env.LATCHKEY_TEST_FUZZ_SEED ?? 1);
const SECOND_MS = 1_000;
/** For the start, and for the connections under way at the end. */
const SPARE_MS = 30_000;
const AT_ONCE = 16;
/** So many at once of connections that nobody ends: the client holds them until the end. */
const HALF_OPEN = 200;
/** How long an attacker waits for the server to end a connection. */
const PATIENCE_MS = 100;
/** Generous: garbage of JavaScript that is not collected yet is in it. A leak of a kilobyte a connection would show in CI. */
const MAX_GROWN_BYTES = 200 * 1024 * 1024;
const MIN_CONVERSATIONS = 100;

let victim: Victim;
beforeEach(async () => {
  victim = await startVictim({ LATCHKEY_SERVER_FIRST_BYTE_TIMEOUT: "1s", LATCHKEY_SERVER_REQUEST_TIMEOUT: "2s" });
});
afterEach(() => victim.stop());

test.each(["true", "false"])(
  "bytes of every kind (grpc-unary lane: %s)",
  async (lane) => {
    await victim.stop();
    victim = await startVictim({
      LATCHKEY_SERVER_FIRST_BYTE_TIMEOUT: "1s",
      LATCHKEY_SERVER_REQUEST_TIMEOUT: "2s",
      LATCHKEY_SERVER_GRPC_UNARY_LANE: lane,
    });
    const end = performance.now() + (SECONDS * SECOND_MS) / 2;
    let conversations = 0;
    const attacker = async (_: unknown, index: number) => {
      for (const random = createRandom(SEED * AT_ONCE + index); performance.now() < end; conversations++) {
        await converse(createConversation(random), random);
        if ((await victim.problems()).length > 0) return; // so that the last conversation is near
      }
    };
    const measured = await measureWhile(victim, () => Promise.all(Array.from({ length: AT_ONCE }, attacker)));
    expect(await victim.problems()).toEqual([]);
    expect(measured.failures).toEqual([]);
    expect(measured.calls).toBeGreaterThan(0);
    expect(measured.grownBytes).toBeLessThan(MAX_GROWN_BYTES);
    expect(conversations).toBeGreaterThan(MIN_CONVERSATIONS);
  },
  SECONDS * SECOND_MS + SPARE_MS,
);

test("connections that are never ended do not keep the others out", async () => {
  const random = createRandom(SEED);
  const sockets: Socket[] = [];
  const measured = await measureWhile(victim, async () => {
    for (let index = 0; index < HALF_OPEN; index++) {
      const socket = open();
      sockets.push(socket);
      for (const part of createConversation(random)) socket.write(part);
      if (index % 2 === 0) socket.end();
      await yieldToOthers();
    }
  });
  expect(measured.failures).toEqual([]);
  expect(measured.grownBytes).toBeLessThan(MAX_GROWN_BYTES);
  expect(await victim.problems()).toEqual([]);
  for (const socket of sockets) socket.destroy();
  expect(await victim.problems()).toEqual([]);
});

/** Writes at once, or byte by byte; reads, or not; ends its side, or breaks off. */
async function converse(parts: readonly Buffer[], random: Random): Promise<void> {
  const socket = open();
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  if (random() % 3 > 0) socket.resume();
  const isSlow = random() % 5 === 0;
  for (const part of isSlow ? bytesOf(Buffer.concat(parts)) : parts) {
    if (socket.destroyed) break;
    socket.write(part);
    if (isSlow) await yieldToOthers();
  }
  const ending = random() % 3;
  if (ending === 0) socket.end();
  if (ending === 1)
    await new Promise<void>((resolve) => socket.write("", () => resolve())).then(() => socket.destroy());
  await Promise.race([closed, patience(closed)]);
  socket.destroy();
}

/** Of a slow writer, the first part only. */
function* bytesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < Math.min(bytes.length, SLOW_BYTES); at++) yield bytes.subarray(at, at + 1);
}

const SLOW_BYTES = 300;

function open(): Socket {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(victim.url).port), noDelay: true });
  return socket.on("error", () => undefined); // a reset is one way to be closed
}

function patience(closed: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    closed.then(() => clearTimeout(timer));
  });
}
