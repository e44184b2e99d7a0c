import { describe, expect, test } from "@jest/globals";
import type { KeyRecord } from "../../src/store/key-store.js";
import { planRestore, restoreKeys } from "../../src/transfer/restore-keys.js";
import { TransferError } from "../../src/transfer/transfer-error.js";
import { createTables, MemoryStore } from "../store/memory-store.js";
import { fullRecord, sampleRecord } from "../store/sample-record.js";
import { chunksOf, EXPORT_KEYS, exportOf, withSum } from "./export-of.js";

const KEYS = 834;

async function restore(text: string, store: MemoryStore, isResumed = false): Promise<number> {
  const plan = await planRestore(chunksOf(text), EXPORT_KEYS);
  return restoreKeys({ store, keys: EXPORT_KEYS, plan, chunks: chunksOf(text), isResumed });
}

async function fill(store: MemoryStore, keys: number): Promise<KeyRecord[]> {
  const records = Array.from({ length: keys }, (_, index) =>
    index % 2 === 0 ? sampleRecord() : fullRecord({ version: 1 }),
  );
  await store.insertMany(records);
  return records;
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TransferError);
  return (error as TransferError).message;
}

test("a restore ends at exactly what was exported, the sealed secrets left out", async () => {
  const source = new MemoryStore();
  const tables = createTables();
  const target = new MemoryStore(tables);
  const records = await fill(source, KEYS);
  const [first] = records as [KeyRecord];
  await source.compareAndSet(first, 1, { name: "changed" });
  const text = await exportOf(source);
  expect(await restore(text, target)).toBe(KEYS);
  expect(tables.keys.size).toBe(KEYS);
  for (const { tenantId, keyId } of records) {
    const { sealedSecret, ...expected } = (await source.read({ tenantId, keyId })) ?? {};
    expect(await target.read({ tenantId, keyId })).toEqual(expected);
  }
  expect((await target.read(first))?.version).toBe(2);
  // What is exported again is the same, byte for byte.
  expect((await exportOf(target)) === text).toBe(true);
});

test("of a key that an export has several times the last line counts, whatever its version", async () => {
  const source = new MemoryStore();
  const [used, back] = (await fill(source, 2)) as [KeyRecord, KeyRecord];
  const time = new Date("2026-05-05T00:00:00.000Z");
  let scans = 0;
  const changing = {
    async scan() {
      scans += 1;
      const { records } = await source.scan(undefined, KEYS);
      if (scans === 1)
        return { records: records.map((record) => (record.keyId === back.keyId ? { ...record, version: 9 } : record)) };
      return {
        records: records.map((record) => (record.keyId === used.keyId ? { ...record, lastUsedTime: time } : record)),
      };
    },
  };
  const target = new MemoryStore();
  expect(await restore(await exportOf(changing), target)).toBe(2);
  expect((await target.read(used))?.lastUsedTime).toEqual(time);
  expect((await target.read(back))?.version).toBe(1);
});

describe("an export that is not whole and as it was", () => {
  const build = async () => {
    const store = new MemoryStore();
    await fill(store, 20);
    return (await exportOf(store)).split(/(?<=\n)/);
  };
  const edited = (lines: string[], at: number, edit: (line: string) => string) =>
    lines.map((line, index) => (index === at ? edit(line) : line));

  test.each<[string, (lines: string[]) => string[] | string, string]>([
    ["nothing", () => "", "the export is empty"],
    ["no export", () => "hello\n", "line 1 is no line of an export"],
    ["another JSON file", () => '{"a": 1}\n', "line 1 is no line of an export"],
    ["without its first line", (lines) => lines.slice(1), "line 1 is no line of an export"],
    ["without its last line", (lines) => lines.slice(0, -1), "the export is cut short: its last line is missing"],
    ["only its first line", (lines) => lines.slice(0, 1), "the export is cut short: its last line is missing"],
    [
      "without its last character",
      (lines) => lines.join("").slice(0, -1),
      "the export is cut short: it ends in the middle of line 22",
    ],
    [
      "cut in the middle",
      (lines) => lines.slice(0, 5).join("").slice(0, -10),
      "the export is cut short: it ends in the middle of line 5",
    ],
    [
      "with a changed character",
      (lines) => edited(lines, 6, (line) => line.replace('"visibility":"', '"visibility":"x')),
      "line 7 was damaged or edited: it does not fit its checksum",
    ],
    [
      "with a changed line and its new checksum",
      (lines) => edited(lines, 6, (line) => withSum(line.replace('"actor_id":"', '"actor_id":"x'))),
      "the export was edited: lines are missing, were added, changed or put in another order",
    ],
    [
      "with a field that is not known",
      (lines) => edited(lines, 6, (line) => withSum(line.replace('"key":{', '"key":{"color":"red",'))),
      "line 7 holds what this release does not know",
    ],
    [
      "without a line",
      (lines) => lines.filter((_, index) => index !== 6),
      "the export was edited: lines are missing, were added, changed or put in another order",
    ],
    [
      "with a line twice",
      (lines) => lines.flatMap((line, index) => (index === 6 ? [line, line] : [line])),
      "the export was edited: lines are missing, were added, changed or put in another order",
    ],
    [
      "with two lines swapped",
      (lines) => lines.map((line, index) => (index === 6 ? lines[7] : index === 7 ? lines[6] : line) ?? ""),
      "the export was edited: lines are missing, were added, changed or put in another order",
    ],
    [
      "with something after its end",
      (lines) => [...lines, ...lines.slice(1, 2)],
      "line 23 comes after the end of the export",
    ],
    [
      "with a second beginning",
      (lines) => [...lines.slice(0, 3), ...lines.slice(0, 1), ...lines.slice(3)],
      "line 4 is no line of an export",
    ],
    [
      "of a later version",
      (lines) => edited(lines, 0, (line) => withSum(line.replace('"version":1', '"version":2'))),
      "the export has version 2, this release reads version 1",
    ],
    [
      "of a service with another pepper",
      (lines) =>
        edited(lines, 0, (line) =>
          withSum(line.replace(/"pepper_check":"[^"]*"/, `"pepper_check":"${Buffer.alloc(32).toString("base64")}"`)),
        ),
      "the export is of a service with another secrets.pepper; use the secrets of that service, for imported keys cannot be found with others",
    ],
  ])("%s: refused, and nothing is written", async (_what, change, message) => {
    const lines = await build();
    const changed = change(lines);
    const tables = createTables();
    const text = typeof changed === "string" ? changed : changed.join("");
    expect(await failure(restore(text, new MemoryStore(tables)))).toBe(message);
    expect(tables.keys.size).toBe(0);
    expect(await restore(lines.join(""), new MemoryStore(tables))).toBe(20);
  });
});

describe("whatever happens to an export, it is refused before anything is written", () => {
  const KEPT = "the same export";

  /** What a restore of the bytes says, or that it wrote exactly the export. */
  async function outcomeOf(bytes: Buffer, text: string): Promise<string> {
    const tables = createTables();
    const target = new MemoryStore(tables);
    async function* chunks(): AsyncGenerator<Buffer> {
      yield bytes;
    }
    try {
      const plan = await planRestore(chunks(), EXPORT_KEYS);
      await restoreKeys({ store: target, keys: EXPORT_KEYS, plan, chunks: chunks(), isResumed: false });
    } catch (error) {
      expect(error).toBeInstanceOf(TransferError);
      expect(tables.keys.size).toBe(0);
      return (error as TransferError).message;
    }
    return (await exportOf(target)) === text ? KEPT : "another export";
  }

  const smallExport = async () => {
    const store = new MemoryStore();
    await fill(store, 3);
    return exportOf(store);
  };

  test("cut after any byte", async () => {
    const text = await smallExport();
    const bytes = Buffer.from(text);
    const outcomes = new Set<string>();
    for (let end = 0; end < bytes.length; end += 1) {
      const cut = await outcomeOf(bytes.subarray(0, end), text);
      outcomes.add(cut.replace(/line \d+$/, "line N"));
    }
    expect([...outcomes].sort()).toEqual([
      "the export is cut short: it ends in the middle of line N",
      "the export is cut short: its last line is missing",
      "the export is empty",
    ]);
    expect(await outcomeOf(bytes, text)).toBe(KEPT);
  });

  test("with any line cut at any byte", async () => {
    const text = await smallExport();
    const lines = text.split(/(?<=\n)/);
    for (const [index, line] of lines.entries()) {
      for (let kept = 0; kept < line.length - 1; kept += 1) {
        const cut = lines.with(index, kept === 0 ? "" : `${line.slice(0, kept)}\n`).join("");
        const outcome = await outcomeOf(Buffer.from(cut), text);
        expect(outcome).not.toBe(KEPT);
        expect(outcome).not.toBe("another export");
      }
    }
  });

  test("with any bit of any byte flipped", async () => {
    const text = await smallExport();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        const outcome = await outcomeOf(flipped, text);
        expect([at, bit, outcome]).not.toEqual([at, bit, KEPT]);
        expect([at, bit, outcome]).not.toEqual([at, bit, "another export"]);
      }
    }
  }, 60_000);
});

describe("an export that is edited between the check and the writing", () => {
  /** Lines of keys in what the second reading finds; those from the 400th are in the second write. */
  const restoreEdited = async (edit: (lines: string[]) => string[]) => {
    const source = new MemoryStore();
    await fill(source, KEYS);
    const text = await exportOf(source);
    const tables = createTables();
    const target = new MemoryStore(tables);
    const plan = await planRestore(chunksOf(text), EXPORT_KEYS);
    const chunks = chunksOf(edit(text.split(/(?<=\n)/)).join(""));
    const message = await failure(restoreKeys({ store: target, keys: EXPORT_KEYS, plan, chunks, isResumed: false }));
    // What is there is a part of the export, which the export itself completes.
    const keysOf = (exported: string) => exported.split("\n").slice(1, -2);
    const all = new Set(keysOf(text));
    expect(keysOf(await exportOf(target)).filter((line) => !all.has(line))).toEqual([]);
    const written = tables.keys.size;
    expect(await restore(text, target, true)).toBe(KEYS);
    expect((await exportOf(target)) === text).toBe(true);
    return { message, written };
  };
  const editLine = (number: number) => (lines: string[]) =>
    lines.map((line, index) => (index === number - 1 ? withSum(line.replace('"actor_id":"', '"actor_id":"x')) : line));
  const changed = (number: number) =>
    `line ${number} was changed after the export was checked, and is not written: go on with the export as it was by --resume`;
  const EDITED = "the export was edited: lines are missing, were added, changed or put in another order";

  test.each([
    ["a line of the first write", editLine(7), changed(7), 0],
    ["the last line of the first write", editLine(401), changed(401), 0],
    ["a line of the second write", editLine(402), changed(402), 400],
    ["a line of the last write", editLine(KEYS), changed(KEYS), 800],
    ["a line gone", (lines: string[]) => lines.filter((_, index) => index !== 6), EDITED, 0],
    ["cut short", (lines: string[]) => lines.slice(0, 500), "the export is cut short: its last line is missing", 400],
  ])("%s: nothing of it is written, and the export itself goes on", async (_what, edit, message, written) => {
    expect(await restoreEdited(edit)).toEqual({ message, written });
  });

  test("another export of the same keys is not taken for it", async () => {
    const source = new MemoryStore();
    const [first] = (await fill(source, 3)) as [KeyRecord];
    const plan = await planRestore(chunksOf(await exportOf(source)), EXPORT_KEYS);
    const tables = createTables();
    await source.recordUses([{ ...first, time: new Date(first.createTime.getTime() + 1) }]);
    const chunks = chunksOf(await exportOf(source));
    const store = new MemoryStore(tables);
    expect(await failure(restoreKeys({ store, keys: EXPORT_KEYS, plan, chunks, isResumed: false }))).toMatch(
      /^line [234] was changed after the export was checked, and is not written: /,
    );
    expect(tables.keys.size).toBe(0);
  });
});

describe("a store that holds keys", () => {
  const NOT_EMPTY =
    "the store holds keys already, and nothing was written: restore into an empty one, or go on with an interrupted restore of the same export by --resume";
  const FOREIGN =
    "the store holds keys that the export does not have, or newer versions of them, and nothing was written: restore into an empty one";

  test("is refused and stays as it is", async () => {
    const source = new MemoryStore();
    await fill(source, 3);
    const tables = createTables();
    const target = new MemoryStore(tables);
    await target.insert(sampleRecord());
    expect(await failure(restore(await exportOf(source), target))).toBe(NOT_EMPTY);
    expect(await failure(restore(await exportOf(source), target, true))).toBe(FOREIGN);
    expect(tables.keys.size).toBe(1);
  });

  test("is refused where a key has a newer version there", async () => {
    const source = new MemoryStore();
    const [record] = (await fill(source, 3)) as [KeyRecord];
    const tables = createTables();
    const target = new MemoryStore(tables);
    await target.restoreMany([{ ...record, version: 2 }]);
    expect(await failure(restore(await exportOf(source), target, true))).toBe(FOREIGN);
    expect(tables.keys.size).toBe(1);
  });

  test("an interrupted restore goes on, and ends at exactly the set", async () => {
    const source = new MemoryStore();
    await fill(source, KEYS);
    const text = await exportOf(source);
    const tables = createTables();
    const target = new MemoryStore(tables);
    let calls = 0;
    const failing = {
      scan: target.scan.bind(target),
      async restoreMany(records: readonly KeyRecord[]) {
        calls += 1;
        if (calls === 7) throw new Error("the store is gone");
        return target.restoreMany(records);
      },
    };
    const plan = await planRestore(chunksOf(text), EXPORT_KEYS);
    const options = { keys: EXPORT_KEYS, plan, isResumed: false };
    await expect(restoreKeys({ ...options, store: failing, chunks: chunksOf(text) })).rejects.toThrow(
      "the store is gone",
    );
    expect(tables.keys.size).toBeGreaterThan(0);
    expect(tables.keys.size).toBeLessThan(KEYS);
    expect(await failure(restore(text, target))).toBe(NOT_EMPTY);
    expect(await restore(text, target, true)).toBe(KEYS);
    expect((await exportOf(target)) === text).toBe(true);
  });

  test("what was deleted there a short while ago is not brought back without a word", async () => {
    const source = new MemoryStore();
    const [record] = (await fill(source, 3)) as [KeyRecord];
    const target = new MemoryStore();
    await target.insert(record);
    await target.delete(record, 1);
    const message = "1 of 3 keys were not restored: the store has newer versions of them";
    expect(await failure(restore(await exportOf(source), target))).toBe(message);
    expect(await target.read(record)).toBeUndefined();
  });
});
