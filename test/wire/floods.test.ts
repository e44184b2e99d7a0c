/**
 * What one connection can do to the others: cheap frames by the thousand, in HTTP/2. The service, the attackers and the client
 * that is measured meanwhile are a process each. What the service holds afterwards is measured too.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../e2e/eventually.js";
import { Attackers } from "./attackers.js";
import { FLOODS, floodWrites } from "./floods.js";
import { measureWhile, startVictim, type Victim } from "./victim.js";

/** While it lasts; generous, for garbage that is not collected yet is in it. */
const MAX_GROWN_BYTES = 200 * 1024 * 1024;
/** After it, without the garbage, and against what there was before the first flood, so that what each leaves behind adds up. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
/** Less than an answered stream waits for the rest of its body (`LINGER_MS` in server/lane.ts): one that is gone must not. */
const SETTLE_LIMIT_MS = 4_000;
/** Several times what it is where the three processes have two cores, and others want them as well. */
const MAX_P99_MS = 1_500;
const FRAMES = 20_000;
/** So few that the slowest of them is about their p99. The flood goes on until there were as many. */
const MIN_CALLS = 50;
const TIMEOUT_MS = 60_000;
/** Streams that a connection may have open, nearly. */
const HELD_STREAMS = 250;
const HELD_CONNECTIONS = 16;

const attackers = new Attackers();
let victim: Victim;
let port: number;
let heapBefore: number;
beforeAll(async () => {
  await attackers.ready();
  victim = await startVictim();
  port = Number(new URL(victim.url).port);
  heapBefore = await victim.heap();
});
afterAll(() => Promise.all([attackers.stop(), victim?.stop()]));

test.each(Object.keys(FLOODS))(
  "%s",
  async (flood) => {
    let sent: readonly number[] = [];
    const { calls, p99Ms, failures, grownBytes } = await measureWhile(victim, async (callsSoFar) => {
      sent = await attackers.flood({ flood, port, frames: FRAMES }, () => {
        const enoughCalls = callsSoFar() + MIN_CALLS;
        return eventually("enough calls", () => callsSoFar() >= enoughCalls || undefined);
      });
    });
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(MIN_CALLS);
    expect(p99Ms).toBeLessThan(MAX_P99_MS);
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
    expect(sent.length).toBeGreaterThan(0);
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(FRAMES);
    expect(await keptBytes()).toBeLessThan(MAX_KEPT_BYTES);
    expect(await victim.problems()).toEqual([]);
  },
  TIMEOUT_MS,
);

/** What the measurement above rests on. */
test("what connections hold shows in the heap until they are cut", async () => {
  const { first, batches } = floodWrites("streams without an end", HELD_STREAMS, HELD_STREAMS);
  const sockets = Array.from({ length: HELD_CONNECTIONS }, () => connect({ host: "127.0.0.1", port }));
  for (const socket of sockets) {
    socket.on("error", () => undefined); // cut too early: then the heap does not grow
    socket.write(Buffer.concat([first, ...batches]));
  }
  try {
    await eventually("the heap to grow", async () => (await grownHeap()) > MAX_KEPT_BYTES || undefined);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  expect(await keptBytes()).toBeLessThan(MAX_KEPT_BYTES);
  expect(await victim.problems()).toEqual([]);
});

async function grownHeap(): Promise<number> {
  return (await victim.heap()) - heapBefore;
}

/** By what the heap is larger in the end; looks again as long as it is too much. */
async function keptBytes(): Promise<number> {
  const end = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const kept = await grownHeap();
    if (kept < MAX_KEPT_BYTES || performance.now() > end) return kept;
  }
}
