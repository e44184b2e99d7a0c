/** What an embedded store does where it cannot work: read-only, full, damaged, newer. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { open } from "lmdb";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import { TENANT } from "./crash-record.js";
import { sampleRecord } from "./sample-record.js";
import { startStoreProcess } from "./store-process.js";

const NOBODY = 65534;
const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;

const isPosix = process.platform !== "win32";
const isRoot = process.geteuid?.() === 0;
const canMount = process.platform === "linux" && isRoot && tryMount();

let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "latchkey-limits-"));
});

afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

describe("embedded store directory", () => {
  test("is created with all that is in it for its owner alone", async () => {
    const directory = join(parent, "a", "b");
    await (await openEmbeddedStore({ directory })).close();
    expect(readdirSync(directory).sort()).toEqual(["data.mdb", "lock.mdb"]);
    if (!isPosix) return;
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "data.mdb")).mode & 0o777).toBe(0o600);
  });

  test("that is a file is an error at open that names it", async () => {
    const directory = join(parent, "file");
    writeFileSync(directory, "");
    await expect(openEmbeddedStore({ directory })).rejects.toThrow(
      `the store directory ${directory} cannot be written: it is not a directory (EEXIST)`,
    );
  });

  (isPosix ? test : test.skip)("that is read-only is an error at open that names it (needs POSIX)", async () => {
    const directory = join(parent, "store");
    await (await openEmbeddedStore({ directory })).close();
    chmodSync(parent, 0o755);
    chmodSync(directory, 0o555);
    if (isRoot) process.seteuid?.(NOBODY); // nothing is read-only for root
    const opening = openEmbeddedStore({ directory });
    if (isRoot) process.seteuid?.(0);
    await expect(opening).rejects.toThrow(
      `the store directory ${directory} cannot be written: it is read-only for this user (EACCES)`,
    );
    chmodSync(directory, 0o700);
    await (await openEmbeddedStore({ directory })).close();
  });

  test.each([
    ["not-lmdb", (path: string) => writeFileSync(path, "A".repeat(100_000)), "is not an LMDB file"],
    ["short", (path: string) => writeFileSync(path, "hello"), "is cut short"],
    ["one page", (path: string) => truncateSync(path, 4096), "is cut short"],
    ["two pages", (path: string) => truncateSync(path, 8192), "is cut short"],
  ])("that is damaged is an error at open that names it: %s", async (_name, damage, message) => {
    const directory = join(parent, "store");
    const store = await openEmbeddedStore({ directory });
    await store.insert(sampleRecord());
    await store.close();
    damage(join(directory, "data.mdb"));
    await expect(openEmbeddedStore({ directory })).rejects.toThrow(
      `the store directory ${directory} is damaged: data.mdb ${message}; restore it from a backup`,
    );
  });

  test("of a newer release is an error at open, and is left as it is", async () => {
    const directory = join(parent, "store");
    const root = open({ path: directory, noSubdir: false, overlappingSync: false });
    const meta = root.openDB<string, Uint8Array>({ name: "meta", keyEncoding: "binary", encoding: "string" });
    await meta.put(Buffer.from("format"), "3");
    await root.close();
    await expect(openEmbeddedStore({ directory })).rejects.toThrow(
      `the store directory ${directory} cannot be opened: it has format 3, this release reads format 2`,
    );
  });

  test("whose first data file was never written is a new store", async () => {
    const directory = join(parent, "store");
    mkdirSync(directory);
    writeFileSync(join(directory, "data.mdb"), "");
    const store = await openEmbeddedStore({ directory });
    expect(await store.insert(sampleRecord())).toMatchObject({ outcome: "inserted" });
    await store.close();
  });
});

describe("embedded store on a full disk", () => {
  (isPosix ? test : test.skip)(
    "refuses writes with UNAVAILABLE, still reads, and loses nothing acknowledged (needs ulimit)",
    async () => {
      const directory = join(parent, "store");
      const limited = startStoreProcess(["fill", directory, "key"], { limits: "ulimit -f 4096" });
      expect(await limited.ended).toEqual({ code: 0, signal: null });
      const inserted = limited.lines.filter((line) => line.startsWith("inserted"));
      expect(inserted.length).toBeGreaterThan(50);
      expect(limited.lines.slice(inserted.length + 1)).toEqual(["refused UNAVAILABLE", "still-refused", "closed"]);

      const store = await openEmbeddedStore({ directory });
      const keyIds = inserted.map((line) => line.split(" ")[1] ?? "");
      expect((await store.readMany(TENANT, keyIds)).every((record) => record !== undefined)).toBe(true);
      const { records } = await store.list({ tenantId: TENANT, kind: "issued", limit: 10_000 });
      expect(records).toHaveLength(keyIds.length);
      expect(await store.insert(sampleRecord())).toMatchObject({ outcome: "inserted" });
      await store.close();
    },
    TIMEOUT_MS,
  );

  (canMount ? test : test.skip)(
    "works again when there is room, and does not open when there is none (needs root on Linux)",
    async () => {
      const disk = join(parent, "disk");
      mkdirSync(disk);
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]);
      try {
        const filler = join(disk, "filler");
        writeFileSync(filler, Buffer.alloc(MIB));
        const filling = startStoreProcess(["fill", join(disk, "store"), "key", filler]);
        expect(await filling.ended).toEqual({ code: 0, signal: null });
        const words = filling.lines.filter((line) => !line.startsWith("inserted"));
        expect(words).toEqual(["ready", "refused UNAVAILABLE", "accepted", "closed"]);

        spawnSync("sh", ["-c", 'cat /dev/zero > "$0"', filler]);
        const directory = join(disk, "another");
        await expect(openEmbeddedStore({ directory })).rejects.toThrow(
          `the store directory ${directory} cannot be written: the disk is full (ENOSPC)`,
        );
      } finally {
        spawnSync("umount", [disk]);
      }
    },
    TIMEOUT_MS,
  );
});

/** Root in a container may lack the right to mount. */
function tryMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-mount-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory]).status === 0;
  if (mounted) spawnSync("umount", [directory]);
  rmSync(directory, { recursive: true, force: true });
  return mounted;
}
