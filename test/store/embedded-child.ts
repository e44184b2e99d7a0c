/**
 * A process of its own on an embedded store, for embedded-crash.test.ts, embedded-limits.test.ts and embedded-readers.test.ts:
 *
 *     live DIRECTORY PREFIX       lives of keys, one after the other, eight at a time, until it is killed
 *     batch DIRECTORY PREFIX      batches of inserts, one after the other, until it is killed
 *     claim DIRECTORY PREFIX N    the claims `claim-0` to `claim-(N-1)`, each with a value that is this process's own
 *     count DIRECTORY PREFIX N    N inserts, and N increments of the key `counter`, 16 at a time
 *     hold DIRECTORY PREFIX       reads one snapshot, until it is killed
 *     fill DIRECTORY PREFIX FILE  inserts until the store is UNAVAILABLE; reads; removes FILE; inserts again
 *
 * It prints a line for everything that was acknowledged, as soon as it was.
 */
import { unlinkSync, writeSync } from "node:fs";
import { ServiceError } from "../../src/errors.js";
import { openEnvironment } from "../../src/store/embedded/environment.js";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import { batchOf, crashRecord, LIFE, LIVES_AT_ONCE, TENANT } from "./crash-record.js";

const WRITERS_AT_ONCE = 16;
const FILL_BYTES = 4000;
const MAX_HOLD_MS = 60_000;

const [mode, directory = "", prefix = "", argument = ""] = process.argv.slice(2);
const store = await openEmbeddedStore({ directory });

// Synchronous: once it returns, the line is in the pipe and survives this process.
const say = (...words: (string | number)[]) => writeSync(1, `${words.join(" ")}\n`);

async function live(caller: number): Promise<never> {
  for (let index = 0; ; index += 1) {
    const record = crashRecord(`${prefix}-${caller}-${index}`);
    for (const [step, act] of LIFE.entries()) {
      await act(store, record);
      say("ack", caller, index, step + 1);
    }
  }
}

async function count(writer: number, total: number): Promise<void> {
  for (let index = writer; index < total; index += WRITERS_AT_ONCE) {
    const record = crashRecord(`${prefix}-${index}`);
    await store.insert(record);
    say("inserted", record.keyId);
    const counter = { tenantId: TENANT, keyId: "counter" };
    for (let done = false; !done; ) {
      const current = await store.read(counter);
      if (current === undefined) throw new Error("there is no counter");
      const name = String(Number(current.name) + 1);
      done = (await store.compareAndSet(counter, current.version, { name })) !== undefined;
    }
  }
}

async function batches(): Promise<never> {
  for (let index = 0; ; index += 1) {
    await store.insertMany(batchOf(prefix, index));
    say("ack", index);
  }
}

async function claim(total: number): Promise<void> {
  for (let index = 0; index < total; index += 1) {
    const claimed = await store.claim(`claim-${index}`, Buffer.from(`${prefix}-${index}`));
    say("claimed", index, Buffer.from(claimed).toString());
  }
}

async function fill(): Promise<void> {
  const insert = (index: number) =>
    store.insert({ ...crashRecord(`${prefix}-${index}`), metadata: { text: "x".repeat(FILL_BYTES) } });
  let index = 0;
  try {
    for (; ; index += 1) {
      await insert(index);
      say("inserted", `${prefix}-${index}`);
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    say("refused", error.reason);
  }
  await store.ping();
  for (let read = 0; read < index; read += 1) {
    const record = await store.read({ tenantId: TENANT, keyId: `${prefix}-${read}` });
    if (record === undefined) say("lost", `${prefix}-${read}`);
  }
  if (argument !== "") unlinkSync(argument);
  const result = await insert(index).catch((error: unknown) => error);
  say(result instanceof ServiceError ? "still-refused" : "accepted");
}

if (mode === "hold") {
  openEnvironment(directory, false).records.useReadTransaction();
  setInterval(() => {}, MAX_HOLD_MS);
}
say("ready");
if (mode === "live") await Promise.all(Array.from({ length: LIVES_AT_ONCE }, (_, caller) => live(caller)));
if (mode === "batch") await batches();
if (mode === "claim") await claim(Number(argument));
if (mode === "count") {
  await Promise.all(Array.from({ length: WRITERS_AT_ONCE }, (_, writer) => count(writer, Number(argument))));
}
if (mode === "fill") await fill();
if (mode !== "hold") {
  await store.close();
  say("closed");
}
