import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { importFile, type SendBatch } from "../../src/transfer/import-file.js";
import type { ImportRow } from "../../src/transfer/import-rows.js";

const ROWS = 100_000;
/** Read, and not yet done. */
const MAX_HELD_ROWS = 5_000;

let directory: string;
let failures: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-import-"));
  failures = join(directory, "failures.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true }));

const requestOf = (index: number) => ({ raw_key: `key-${index}`, name: "n", actor_id: "a" });

async function* rows(count: number, change: (row: ImportRow, index: number) => ImportRow = (row) => row) {
  for (let index = 0; index < count; index += 1) yield change({ line: index + 2, request: requestOf(index) }, index);
}

/** A service that keeps what it was sent, and refuses a request id that it knows for another key. */
class Service {
  readonly keys = new Map<string, string>();
  batches = 0;

  constructor(readonly beforeBatch: (batch: number) => void = () => {}) {}

  send: SendBatch = async (requests) => {
    this.batches += 1;
    this.beforeBatch(this.batches);
    return requests.map((request) => {
      const { raw_key: key, request_id: id } = request as { raw_key: string; request_id: string };
      if (key.endsWith("777")) return "refused";
      const known = this.keys.get(key);
      if (known !== undefined && known !== id) return "exists";
      this.keys.set(key, id);
      return undefined;
    });
  };
}

test("100,000 rows are imported, few of them held at a time, and nothing is left behind", async () => {
  const service = new Service();
  let read = 0;
  let done = 0;
  const counted = rows(ROWS, (row, index) => {
    read = index + 1;
    expect(read - done).toBeLessThanOrEqual(MAX_HELD_ROWS);
    return { ...row, request: { ...row.request, raw_key: `k${index}x` } };
  });
  const report = await importFile({
    rows: counted,
    failures,
    send: service.send,
    onProgress: ({ rows: count }) => (done = count),
  });
  expect(report).toEqual({ rows: ROWS, imported: ROWS, failed: 0, resumedAt: 0 });
  expect(service.keys.size).toBe(ROWS);
  expect([existsSync(failures), existsSync(`${failures}.state`)]).toEqual([false, false]);
}, 120_000);

test("what fails is in a file that only its owner can read, which can be fed back", async () => {
  const withProblem = rows(2_000, (row, index) => (index === 5 ? { ...row, problem: "has 2 cells, not 3" } : row));
  const report = await importFile({ rows: withProblem, failures, send: new Service().send });
  expect(report).toEqual({ rows: 2_000, imported: 1_997, failed: 3, resumedAt: 0 });
  const lines = readFileSync(failures, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { ...requestOf(5), _line: 7, _error: "has 2 cells, not 3" },
    { ...requestOf(777), _line: 779, _error: "refused" },
    { ...requestOf(1777), _line: 1779, _error: "refused" },
  ]);
  expect(statSync(failures).mode & 0o777).toBe(0o600);
  await expect(importFile({ rows: rows(1), failures, send: new Service().send })).rejects.toThrow(
    `${failures} is there already; nothing is overwritten`,
  );
});

test("an import that fails before anything is done leaves nothing behind", async () => {
  const service = new Service(() => {
    throw new Error("refused");
  });
  await expect(importFile({ rows: rows(5_000), failures, send: service.send })).rejects.toThrow("refused");
  expect(readdirSync(directory)).toEqual([]);
});

test.each([2, 5, 7, 10])(
  "an import that is interrupted at batch %d goes on, and ends at exactly the set",
  async (batch) => {
    const service = new Service((number) => {
      if (number === batch) throw new Error("interrupted");
    });
    await expect(importFile({ rows: rows(10_000), failures, send: service.send })).rejects.toThrow("interrupted");
    const state = JSON.parse(readFileSync(`${failures}.state`, "utf8"));
    expect(state.rows).toBe(1_000 * (batch - 1));
    appendFileSync(failures, "written after the last state\n".repeat(100));
    const report = await importFile({ rows: rows(10_000), failures, send: service.send });
    expect(report).toEqual({ rows: 10_000, imported: 9_990, failed: 10, resumedAt: state.rows });
    expect(service.keys.size).toBe(9_990);
    const failed = readFileSync(failures, "utf8").trimEnd().split("\n");
    expect(failed.map((line) => JSON.parse(line).raw_key)).toEqual(
      Array.from({ length: 10 }, (_, thousand) => `key-${1000 * thousand + 777}`),
    );
    expect(existsSync(`${failures}.state`)).toBe(false);
  },
);

test("an import that is told to stop finishes what is under way, and can be gone on with", async () => {
  const controller = new AbortController();
  const service = new Service((batch) => {
    if (batch === 3) controller.abort();
  });
  const options = { failures, send: service.send, signal: controller.signal };
  await expect(importFile({ rows: rows(10_000), ...options })).rejects.toThrow("interrupted when 3000 rows were done");
  expect(service.batches).toBe(3);
  const report = await importFile({ rows: rows(10_000), failures, send: service.send });
  expect(report).toEqual({ rows: 10_000, imported: 9_990, failed: 10, resumedAt: 3_000 });
});

test("one that is told so when nothing is left to be sent is done", async () => {
  const controller = new AbortController();
  const service = new Service((batch) => {
    if (batch === 2) controller.abort();
  });
  const report = await importFile({ rows: rows(1_500), failures, send: service.send, signal: controller.signal });
  expect(report).toEqual({ rows: 1_500, imported: 1_499, failed: 1, resumedAt: 0 });
});

test("an import whose end was interrupted, the state not yet removed, ends when it is run again", async () => {
  const service = new Service();
  const state = `${failures}.state`;
  let last = "";
  const onProgress = () => {
    last = readFileSync(state, "utf8");
  };
  const options = { rows: rows(5), failures, send: service.send };
  await importFile({ ...options, onProgress });
  writeFileSync(state, last);
  expect(await importFile({ ...options, rows: rows(5) })).toEqual({ rows: 5, imported: 5, failed: 0, resumedAt: 5 });
  expect(service.batches).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
});

test("it does not go on with another file", async () => {
  const interrupted = new Service((number) => {
    if (number === 3) throw new Error("interrupted");
  });
  await expect(importFile({ rows: rows(5_000), failures, send: interrupted.send })).rejects.toThrow("interrupted");
  const message = "the file is not the one that this import began with: go on with that, or remove the .state file";
  const service = new Service();
  const changed = rows(5_000, (row, index) => (index === 3 ? { ...row, request: requestOf(-1) } : row));
  await expect(importFile({ rows: changed, failures, send: service.send })).rejects.toThrow(message);
  await expect(importFile({ rows: rows(10), failures, send: service.send })).rejects.toThrow(message);
  expect(service.batches).toBe(0);
});
