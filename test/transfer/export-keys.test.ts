import { expect, test } from "@jest/globals";
import type { KeyId, KeyRecord } from "../../src/store/key-store.js";
import type { PassReport } from "../../src/transfer/export-keys.js";
import { readExport } from "../../src/transfer/read-export.js";
import { TransferError } from "../../src/transfer/transfer-error.js";
import { MemoryStore } from "../store/memory-store.js";
import { fullRecord, sampleRecord } from "../store/sample-record.js";
import { chunksOf, EXPORT_KEYS, exportOf } from "./export-of.js";

async function linesOf(text: string): Promise<(KeyRecord | { deleted: KeyId })[]> {
  const lines: (KeyRecord | { deleted: KeyId })[] = [];
  for await (const line of readExport(chunksOf(text), EXPORT_KEYS)) {
    lines.push("record" in line ? line.record : { deleted: line.deleted });
  }
  return lines;
}

const stateOf = async (text: string) => {
  const state = new Map<string, KeyRecord>();
  for (const line of await linesOf(text)) {
    if ("deleted" in line) state.delete(line.deleted.keyId);
    else state.set(line.keyId, line);
  }
  return state;
};

const without = ({ sealedSecret, ...record }: KeyRecord): KeyRecord => record;

/** Calls `act` after the scans of the pass that it names. */
function storeThatChanges(store: MemoryStore, act: (pass: number) => Promise<void>) {
  let pass = 0;
  return {
    async scan(after: KeyId | undefined, limit: number) {
      const slice = await store.scan(after, limit);
      if (slice.end === undefined) {
        pass += 1;
        await act(pass);
      }
      return slice;
    },
  };
}

test("an export has every key once, and is read again in two passes", async () => {
  const store = new MemoryStore();
  const records = [sampleRecord(), fullRecord({ version: 1 }), sampleRecord({ kind: "imported" })];
  await store.insertMany(records);
  const passes: PassReport[] = [];
  const text = await exportOf(store, { onPass: (report) => passes.push(report) });
  const lines = (await linesOf(text)) as KeyRecord[];
  expect(new Map(lines.map((record) => [record.keyId, record]))).toEqual(
    new Map(records.map((record) => [record.keyId, without(record)])),
  );
  expect(lines).toHaveLength(records.length);
  expect(passes).toEqual([
    { pass: 1, keys: 3, changed: 3 },
    { pass: 2, keys: 3, changed: 0 },
  ]);
});

test("an export of nothing is one", async () => {
  const text = await exportOf(new MemoryStore());
  expect(text.split("\n")).toHaveLength(3);
  expect(await linesOf(text)).toEqual([]);
});

test("nothing in an export opens a sealed secret", async () => {
  const store = new MemoryStore();
  const record = fullRecord();
  await store.insert(record);
  const text = await exportOf(store);
  expect(text).not.toContain(Buffer.from(record.sealedSecret?.box ?? []).toString("base64"));
  expect(text).not.toContain("sealed");
});

test("what changes while an export is made is in it, and what is deleted is not", async () => {
  const store = new MemoryStore();
  const [changed, deleted, used, added] = [1, 2, 3, 4].map(() => sampleRecord()) as [
    KeyRecord,
    KeyRecord,
    KeyRecord,
    KeyRecord,
  ];
  await store.insertMany([changed, deleted, used]);
  const time = new Date("2026-05-05T00:00:00.000Z");
  const changing = storeThatChanges(store, async (pass) => {
    if (pass !== 1) return;
    await store.compareAndSet(changed, 1, { revocation: { reason: "key_compromise" } });
    await store.delete(deleted, 1);
    await store.insert(added);
    await store.recordUses([{ ...used, time }]);
  });
  const passes: PassReport[] = [];
  const text = await exportOf(changing, { onPass: (report) => passes.push(report) });
  expect(await stateOf(text)).toEqual(
    new Map<string, KeyRecord>([
      [changed.keyId, { ...changed, version: 2, revocation: { reason: "key_compromise" } }],
      [used.keyId, { ...used, lastUsedTime: time }],
      [added.keyId, added],
    ]),
  );
  expect(passes.map(({ keys, changed: changes }) => [keys, changes])).toEqual([
    [3, 3],
    [3, 3],
    [3, 0],
  ]);
});

test("a key that is deleted and comes back is in it", async () => {
  const store = new MemoryStore();
  const record = sampleRecord();
  await store.insert(record);
  const changing = storeThatChanges(store, async (pass) => {
    if (pass === 1) await store.delete(record, 1);
    if (pass === 2) await store.insert(record);
  });
  expect(await stateOf(await exportOf(changing))).toEqual(new Map([[record.keyId, { ...record, version: 3 }]]));
});

test("uses alone do not keep an export from ending", async () => {
  const store = new MemoryStore();
  const record = sampleRecord();
  await store.insert(record);
  const passes: PassReport[] = [];
  const changing = storeThatChanges(store, (pass) =>
    store.recordUses([{ ...record, time: new Date(record.createTime.getTime() + pass) }]),
  );
  await exportOf(changing, { onPass: (report) => passes.push(report) });
  expect(passes.at(-1)).toEqual({ pass: 2, keys: 1, changed: 0 });
});

test("where keys change all the time it gives up after ten passes, and has no end", async () => {
  const store = new MemoryStore();
  const record = sampleRecord();
  await store.insert(record);
  const changing = storeThatChanges(store, async (pass) => {
    await store.compareAndSet(record, pass, { name: `pass ${pass}` });
  });
  const passes: PassReport[] = [];
  const failure = await exportOf(changing, { onPass: (report) => passes.push(report) }).catch(
    (error: unknown) => error,
  );
  expect(failure).toEqual(
    new TransferError(
      "keys were changed in each of 10 passes, so that there is no export of one moment: use --follow, or try again when fewer keys change",
    ),
  );
  expect(failure).toBeInstanceOf(TransferError);
  expect(passes.at(-1)).toEqual({ pass: 10, keys: 1, changed: 1 });
});

test("--follow goes on until it is told to cut over, and then until nothing changes any more", async () => {
  const store = new MemoryStore();
  const record = sampleRecord();
  await store.insert(record);
  const controller = new AbortController();
  const changing = storeThatChanges(store, async (pass) => {
    if (pass === 3) controller.abort();
    // Writes that came too late: passes 4 and 5 still find some.
    if (pass <= 4) await store.compareAndSet(record, pass, { name: `pass ${pass}` });
  });
  const passes: PassReport[] = [];
  const text = await exportOf(changing, {
    follow: { cutOver: controller.signal, intervalMs: 1 },
    onPass: (report) => passes.push(report),
  });
  expect(passes.map(({ changed }) => changed)).toEqual([1, 1, 1, 1, 1, 0]);
  expect((await stateOf(text)).get(record.keyId)).toEqual({ ...record, version: 5, name: "pass 4" });
});

test("--follow writes last uses after the cut-over only", async () => {
  const store = new MemoryStore();
  const record = sampleRecord();
  await store.insert(record);
  const controller = new AbortController();
  const useAt = (pass: number) => new Date(record.createTime.getTime() + pass);
  const changing = storeThatChanges(store, async (pass) => {
    await store.recordUses([{ ...record, time: useAt(pass) }]);
    if (pass === 4) controller.abort();
  });
  const text = await exportOf(changing, { follow: { cutOver: controller.signal, intervalMs: 1 } });
  const lines = (await linesOf(text)) as KeyRecord[];
  expect(lines.map(({ lastUsedTime }) => lastUsedTime)).toEqual([undefined, useAt(4)]);
});

test("--follow does not end in a quiet pass that began before the cut-over", async () => {
  const store = new MemoryStore();
  const late = sampleRecord();
  const controller = new AbortController();
  const changing = storeThatChanges(store, async (pass) => {
    if (pass !== 2) return;
    await store.insert(late); // after the pass has looked
    controller.abort();
  });
  const text = await exportOf(changing, { follow: { cutOver: controller.signal, intervalMs: 1 } });
  expect(await stateOf(text)).toEqual(new Map([[late.keyId, late]]));
});

test.each([
  ["while it follows", true],
  ["while it does not", false],
])("an export that is interrupted %s ends with the reason, and has no end", async (_when, isFollowing) => {
  const store = new MemoryStore();
  await store.insert(sampleRecord());
  const interruption = new AbortController();
  const reason = new Error("not wanted any more");
  const changing = storeThatChanges(store, async (pass) => {
    await store.insert(sampleRecord());
    if (pass === 3) interruption.abort(reason);
  });
  const passes: PassReport[] = [];
  const exporting = exportOf(changing, {
    follow: isFollowing ? { cutOver: AbortSignal.abort(), intervalMs: 1 } : undefined,
    interrupted: interruption.signal,
    onPass: (report) => passes.push(report),
  });
  await expect(exporting).rejects.toBe(reason);
  expect(passes).toHaveLength(2);
});

test("a cut-over ends the wait between passes", async () => {
  const store = new MemoryStore();
  const controller = new AbortController();
  const onPass = () => void setImmediate(() => controller.abort());
  await exportOf(store, { follow: { cutOver: controller.signal, intervalMs: 3_600_000 }, onPass });
});
