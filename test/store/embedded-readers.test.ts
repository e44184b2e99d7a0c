/** A process that dies while it reads must not make the file of the others grow for ever. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import type { KeyStore } from "../../src/store/key-store.js";
import { eventually } from "../e2e/eventually.js";
import { sampleRecord } from "./sample-record.js";
import { startStoreProcess } from "./store-process.js";

const INTERVAL_MS = 10_000;
/** Of metadata, so that a change gives up some pages. */
const RECORD_BYTES = 100_000;
const CHANGES = 40;
/** Less than what that many changes take when no page is used again. */
const GROWTH_BYTES = (RECORD_BYTES * CHANGES) / 2;

let directory: string;
let store: KeyStore;
let nowMs = 0;
const record = sampleRecord({ metadata: { text: "x".repeat(RECORD_BYTES) } });
let version = 1;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-readers-"));
  store = await openEmbeddedStore({ directory, now: () => new Date(nowMs) });
  await store.insert(record);
  version = 1;
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** How much the file grows by so many changes. */
async function growth(changes = CHANGES): Promise<number> {
  const bytes = () => statSync(join(directory, "data.mdb")).size;
  const before = bytes();
  for (let count = 0; count < changes; count += 1) {
    await store.compareAndSet(record, version, { name: `at ${version}` });
    version += 1;
  }
  return bytes() - before;
}

async function hold() {
  const holder = startStoreProcess(["hold", directory, "holder"]);
  await eventually("a snapshot", () => holder.lines.includes("ready") || undefined);
  return {
    async kill() {
      holder.child.kill("SIGKILL");
      expect(await holder.ended).toEqual({ code: null, signal: "SIGKILL" });
    },
  };
}

test.each([
  ["ten seconds later", INTERVAL_MS],
  ["when the clock was set back", -INTERVAL_MS],
])("the snapshot of a dead process is cleared %s", async (_when, passedMs) => {
  const holder = await hold();
  await holder.kill();
  expect(await growth()).toBeGreaterThan(GROWTH_BYTES);
  nowMs += passedMs - Math.sign(passedMs);
  expect(await growth()).toBeGreaterThan(GROWTH_BYTES);
  nowMs += Math.sign(passedMs);
  await growth(3); // the pages of the last changes are still those that a crash would go back to
  expect(await growth()).toBeLessThan(GROWTH_BYTES);
});

test("the snapshot of a living process is left to it", async () => {
  const holder = await hold();
  nowMs += INTERVAL_MS;
  expect(await growth()).toBeGreaterThan(GROWTH_BYTES);
  await holder.kill();
});
