/** What commands do when what they write to takes no more: a disk that is full, a pipe that nobody reads. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { isInstalled } from "../is-installed.js";
import { latchkeyWords, type Run, runLatchkey, runWords } from "./run-latchkey.js";

/** Writes to it fail as on a full disk. */
const FULL = "/dev/full";
const hasFull = existsSync(FULL);
const hasBash = isInstalled("bash");
const missing = [...(hasFull ? [] : [FULL]), ...(hasBash ? [] : ["bash"])];
const describeFull = missing.length === 0 ? describe : describe.skip;
const skippedFull = missing.length === 0 ? "" : `, skipped: there is no ${missing.join(", no ")}`;
const describeBash = hasBash ? describe : describe.skip;
const skippedBash = hasBash ? "" : ", skipped: put bash on the PATH to run it";

const directory = mkdtempSync(join(tmpdir(), "latchkey-full-"));
let server: TestServer;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  server = await startTestServer();
  env = {
    LATCHKEY_ENDPOINT: `http://${server.address}`,
    LATCHKEY_TOKEN: server.tokens.admin,
    LATCHKEY_DATA_DIR: join(directory, "data"),
  };
  // A store to export, and the secrets for it.
  const { code } = await runLatchkey(["keys", "issue", "demo", "--actor", "me"], {
    // Port 1 is nobody's.
    env: { LATCHKEY_DATA_DIR: join(directory, "data"), LATCHKEY_SERVER_PORT: "1" },
  });
  expect(code).toBe(0);
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a command with the shell's own words before it and after it. Without its file for terminals, which it reads at a socket. */
function runInShell(before: string, words: readonly string[], after = ""): Promise<Run> {
  const command = `${before}"$0" "$@"${after}`;
  return runWords(["bash", "--norc", "-o", "pipefail", "-c", command, ...latchkeyWords(words)], { env });
}

describeFull(`standard output on a full disk${skippedFull}`, () => {
  beforeAll(async () => {
    expect(await runLatchkey(["keys", "issue", "a", "--actor", "b"], { env })).toMatchObject({ code: 0 });
  });

  test.each([
    [["keys", "list"], ""],
    [["keys", "list", "--format", "json"], ""],
    [["jwk", "generate", "eddsa"], ""],
    [["export", "-"], "latchkey: the export is not whole\n"],
    [["completion", "bash"], ""],
  ])("%j", async (words, more) => {
    expect(await runInShell("", words, ` > ${FULL}`)).toEqual({
      code: 1,
      out: "",
      err: `latchkey: standard output cannot be written (ENOSPC)\n${more}`,
    });
  });

  test("a file that is the full device itself is not taken for a new one", async () => {
    for (const words of [
      ["export", FULL],
      ["jwk", "generate", "eddsa", "--out", FULL],
    ]) {
      const err = `latchkey: ${FULL} is there already; nothing is overwritten\n`;
      expect(await runLatchkey(words, { env })).toEqual({ code: 1, out: "", err });
    }
  });
});

describeBash(`files that cannot grow${skippedBash}`, () => {
  /** As a full disk, with another code. 512 bytes or 1,024, by the shell. */
  const LIMIT = "ulimit -f 1; ";

  test("a new file is not left half written", async () => {
    const file = join(directory, "jwks.json");
    const err = `latchkey: ${file} cannot be written (EFBIG)\n`;
    expect(await runInShell(LIMIT, ["jwk", "generate", "rsa", "--out", file])).toEqual({ code: 1, out: "", err });
    expect(readdirSync(directory).filter((name) => name.startsWith("jwks"))).toEqual([]);
  });

  test("an import goes on when there is room again, and ends at exactly the set", async () => {
    const file = join(directory, "keys.csv");
    const failures = `${file}.failures.jsonl`;
    // The first batch has no failure, the second one too many for the file.
    const rows = Array.from({ length: 1_100 }, (_, index) => (index < 1_000 ? `k${index},n,full\n` : `k${index}\n`));
    writeFileSync(file, `raw_key,name,actor_id\n${rows.join("")}`);
    const words = ["keys", "import-file", file];
    expect(await runInShell(LIMIT, words)).toEqual({
      code: 1,
      out: "",
      err: `latchkey: ${file}: ${failures}, or its .state file, cannot be written (EFBIG): the same command goes on where this one ended\n`,
    });
    expect(await runLatchkey(words, { env })).toEqual({
      code: 1,
      out: "imported 1000 keys\n",
      err: `went on after 1000 rows of an earlier run\nlatchkey: ${file}: 100 of 1100 rows were not imported: they are in ${failures}, which holds their keys\n`,
    });
    expect(readFileSync(failures, "utf8").trimEnd().split("\n")).toHaveLength(100);
    const listed = await runLatchkey(["keys", "list", "--imported", "--all", "--format", "json"], { env });
    expect(JSON.parse(listed.out).imported_api_keys).toHaveLength(1_000);
  }, 60_000);
});

describeBash(`a pipe that nobody reads${skippedBash}`, () => {
  test("is no failure for what was answered", async () => {
    expect(await runInShell("", ["keys", "list"], " | true")).toEqual({ code: 0, out: "", err: "" });
  });

  test("is no place to tell a failure", async () => {
    expect(await runInShell("", ["keys", "list", "--colour"], " 2>&1 | true")).toEqual({ code: 2, out: "", err: "" });
  });

  test("is one for an export, which is not whole then", async () => {
    const err = "latchkey: standard output was closed before the export was whole\n";
    expect(await runInShell("", ["export", "-"], " | true")).toEqual({ code: 1, out: "", err });
  });
});
