import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { link } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { TransferError } from "../../src/transfer/transfer-error.js";
import { writeNewFile } from "../../src/transfer/write-new-file.js";

const PERMISSIONS = 0o777;

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-new-file-"));
  path = join(directory, "keys.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Does `act` when the first text was written. */
async function* texts(act: () => Promise<void> | void = () => {}): AsyncGenerator<string> {
  yield "one\n";
  await act();
  yield "two\n";
}

const withoutLinks = (code: string) => async () => {
  throw Object.assign(new Error("no hard links here"), { code });
};

const exists = () => new TransferError(`${path} is there already; nothing is overwritten`);

describe.each([
  ["a file system with hard links", link],
  ["one without (EPERM)", withoutLinks("EPERM")],
  ["one without (ENOSYS)", withoutLinks("ENOSYS")],
  ["one without (ENOTSUP)", withoutLinks("ENOTSUP")],
  ["one without (EOPNOTSUPP)", withoutLinks("EOPNOTSUPP")],
])("%s", (_what, linkFile) => {
  test("the file has its name when it is whole, and nobody else can read it", async () => {
    let during: string[] = [];
    await writeNewFile(
      path,
      texts(() => {
        during = readdirSync(directory);
      }),
      linkFile,
    );
    expect(during).toEqual([expect.stringMatching(/^keys\.jsonl\.part-[0-9a-f]{12}$/)]);
    expect(readdirSync(directory)).toEqual(["keys.jsonl"]);
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(statSync(path).mode & PERMISSIONS).toBe(0o600);
  });

  test("a file that came meanwhile stays as it is", async () => {
    await expect(
      writeNewFile(
        path,
        texts(() => writeFileSync(path, "mine")),
        linkFile,
      ),
    ).rejects.toEqual(exists());
    expect(readFileSync(path, "utf8")).toBe("mine");
    expect(readdirSync(directory)).toEqual(["keys.jsonl"]);
  });

  test("of two runs at once one is refused, and the file is the other's, whole", async () => {
    const first = texts(async () => {
      await writeNewFile(path, texts(), linkFile);
    });
    await expect(writeNewFile(path, first, linkFile)).rejects.toEqual(exists());
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(readdirSync(directory)).toEqual(["keys.jsonl"]);
  });
});

test("what fails leaves nothing, and nothing of others is removed", async () => {
  writeFileSync(`${path}.part`, "mine");
  const failing = texts(() => {
    throw new Error("the store is gone");
  });
  await expect(writeNewFile(path, failing)).rejects.toEqual(new Error("the store is gone"));
  expect(readdirSync(directory)).toEqual(["keys.jsonl.part"]);
  await expect(writeNewFile(path, texts(), withoutLinks("EIO"))).rejects.toMatchObject({ code: "EIO" });
  expect(readdirSync(directory)).toEqual(["keys.jsonl.part"]);
  expect(readFileSync(`${path}.part`, "utf8")).toBe("mine");
});
