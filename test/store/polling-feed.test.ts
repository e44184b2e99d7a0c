/** What one poll asks and tells; what all of them together prove is in `cache/revocation-model.test.ts`. */

import { beforeEach, expect, test } from "@jest/globals";
import type { Change, ChangeListener } from "../../src/store/cache/change-feed.js";
import { PollingFeed } from "../../src/store/mongo/polling-feed.js";

const SERVER_MS = 1_000_000;
const OVERLAP_MS = 5_000;
const CHANGE: Change = { name: "a", version: 2, changedAtMs: SERVER_MS };

let nowMs: number;
/** How long each of the two questions of a poll takes. */
let stateMs: number;
let changesMs: number;
let serverByMs: number;
let identity: string;
let changes: readonly Change[] | Error;
/** What was told and asked, in order. */
let log: unknown[];
let feed: PollingFeed;

beforeEach(async () => {
  [nowMs, stateMs, changesMs, serverByMs, identity, changes, log] = [0, 0, 0, SERVER_MS, "one", [], []];
  const listener: ChangeListener = {
    evictChanged: (told) => log.push(...told),
    confirm: ({ monotonicMs }) => log.push(`confirm ${monotonicMs}`),
    dropAll: () => log.push("drop"),
  };
  const server = {
    readState: async () => {
      const timeMs = nowMs + serverByMs;
      nowMs += stateMs;
      return { timeMs, identity };
    },
    readChanges: async (sinceMs: number, limit: number) => {
      log.push(`since ${sinceMs - SERVER_MS}, ${limit}`);
      nowMs += changesMs;
      if (changes instanceof Error) throw changes;
      return changes;
    },
  };
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  feed = new PollingFeed({ server, listener, overlapMs: OVERLAP_MS, clock });
});

async function pollAt(atMs: number): Promise<unknown[]> {
  nowMs = atMs;
  log.length = 0;
  await feed.poll();
  return [...log];
}

/** Until nothing is in doubt any more. */
async function settle(): Promise<void> {
  for (const atMs of [0, 1_000, 2_000]) await pollAt(atMs);
}

test("confirms nothing until a change of before the start must be visible, and drops all at that moment", async () => {
  expect(await pollAt(0)).toEqual(["since -5000, 10001"]);
  expect(await pollAt(1_000)).toEqual(["since -5000, 10001"]);
  expect(await pollAt(1_999)).toEqual(["since 750, 10001"]);
  expect(await pollAt(2_000)).toEqual(["since -4000, 10001", "drop", "confirm 2000"]);
});

test("looks back from the last poll, and once a second from the last wide one, which confirms when it was sent", async () => {
  await settle();
  changes = [CHANGE];
  expect(await pollAt(2_050)).toEqual(["since 1750, 10001", CHANGE]);
  expect(await pollAt(2_900)).toEqual(["since 1800, 10001", CHANGE]);
  [stateMs, changesMs] = [400, 600];
  expect(await pollAt(3_000)).toEqual(["since -3000, 10001", CHANGE, "confirm 3000"]);
});

test("a poll of more than a second evicts, and confirms nothing; the next one looks back from it", async () => {
  await settle();
  changes = [CHANGE];
  [stateMs, changesMs] = [400, 601];
  expect(await pollAt(3_000)).toEqual(["since -3000, 10001", CHANGE]);
  [stateMs, changesMs] = [0, 0];
  expect(await pollAt(4_050)).toEqual(["since -2000, 10001", CHANGE, "confirm 4050"]);
});

test("one that fails is repeated, from where the last one looked back from", async () => {
  await settle();
  changes = new Error("gone");
  await expect(pollAt(3_000)).rejects.toThrow("gone");
  changes = [];
  expect(await pollAt(3_050)).toEqual(["since -3000, 10001", "confirm 3050"]);
});

test("what cannot be held drops all, and is caught up with", async () => {
  await settle();
  changes = Array(10_001).fill(CHANGE);
  expect(await pollAt(3_000)).toEqual(["since -3000, 10001", "drop", "confirm 3000"]);
  changes = Array(10_000).fill(CHANGE);
  expect((await pollAt(3_050)).length).toBe(1 + 10_000);
});

test.each([
  [-1_001, true],
  [-1_000, false],
  [1_000, false],
  [1_001, true],
])("a clock that moved by %d ms: is all dropped? %s", async (byMs, isDropped) => {
  await settle();
  serverByMs += byMs;
  const told = await pollAt(2_050);
  expect(told.includes("drop")).toBe(isDropped);
  // The doubt ends two seconds later, with all dropped once more.
  const later: unknown[] = [];
  for (const atMs of [3_050, 4_049, 4_050])
    later.push(...(await pollAt(atMs)).filter((text) => !`${text}`.startsWith("since")));
  expect(later).toEqual(isDropped ? ["drop", "confirm 4050"] : ["confirm 3050", "confirm 4050"]);
});

test("another server drops all, and changes are looked for by its clock", async () => {
  await settle();
  identity = "two";
  serverByMs -= 900;
  expect(await pollAt(2_050)).toEqual(["drop", `since ${2_050 - 900 - OVERLAP_MS}, 10001`]);
});

test("after a pause of more than the overlap nothing is confirmed at once", async () => {
  await settle();
  expect(await pollAt(2_000 + OVERLAP_MS)).toEqual(["since -3000, 10001", "confirm 7000"]);
  expect(await pollAt(7_000 + OVERLAP_MS + 1)).toEqual(["since 7001, 10001"]);
});
