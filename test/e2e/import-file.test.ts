/** `latchkey import-file` as a real process against a real service. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { eventually } from "./eventually.js";
import { LatchkeyProcess, runLatchkey } from "./latchkey-process.js";
import { adminTokens, randomTokens } from "./server.js";

const ROWS = 4_000;
const TIMEOUT_MS = 60_000;
const EXISTS = "a key with this raw key was imported before";
/** Longer than a scope may be. */
const LONG = "x".repeat(256);

const parent = mkdtempSync(join(tmpdir(), "latchkey-import-file-"));
const inParent = (name: string) => join(parent, name);
const tokens = randomTokens();
let service: ChildService;
let api: Api;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  service = new ChildService({
    env: {
      LATCHKEY_ADMIN_TOKENS: adminTokens(tokens),
      LATCHKEY_DATA_DIR: inParent("data"),
      LATCHKEY_LOG_LEVEL: "warn",
    },
  });
  const url = await service.ready();
  api = new Api(createFetchRestClient(url), tokens);
  env = { LATCHKEY_ENDPOINT: url, LATCHKEY_TOKEN: tokens.admin };
}, TIMEOUT_MS);

afterAll(async () => {
  await service?.stop();
  rmSync(parent, { recursive: true });
});

function write(name: string, content: string): string {
  writeFileSync(inParent(name), content);
  return inParent(name);
}

test(
  "imports what can be, and says where the rest is; fed back, it is imported",
  async () => {
    await api.importKey({ raw_key: "taken-key", actor_id: "someone" });
    const file = write(
      "keys.csv",
      `\ufeffkey,name,owner,scopes\r\ngood-1,"one, quoted",me,a b\r\ntaken-key,two,me,\r\nshort\r\ngood-2,four,me,\r\nbad-scope,five,me,${LONG}\r\n`,
    );
    const words = ["import-file", file, "--map", "raw_key=key", "--map", "actor_id=owner"];
    const failures = `${file}.failures.jsonl`;
    expect(await runLatchkey(words, env)).toEqual({
      code: 1,
      stdout: "",
      stderr: `imported 2 keys\nlatchkey: ${file}: 3 of 5 rows were not imported: they are in ${failures}, which holds their keys\n`,
    });
    expect(await api.verify("good-1")).toMatchObject({ is_valid: true, actor_id: "me", scopes: ["a", "b"] });
    expect(await api.verify("good-2")).toMatchObject({ is_valid: true });
    expect(await api.verify("taken-key")).toMatchObject({ actor_id: "someone" });
    const lines = readFileSync(failures, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ _line, raw_key }) => [_line, raw_key])).toEqual([
      [3, "taken-key"],
      [4, "short"],
      [6, "bad-scope"],
    ]);
    expect(lines[0]._error).toBe(EXISTS);

    const mended = lines.slice(1).map((line) => ({ ...line, name: "n", actor_id: "me", scopes: ["ok"] }));
    const again = write("mended.jsonl", mended.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(await runLatchkey(["import-file", again], env)).toEqual({
      code: 0,
      stdout: "",
      stderr: "imported 2 keys\n",
    });
    expect(existsSync(`${again}.failures.jsonl`)).toBe(false);
    expect(await api.verify("bad-scope")).toMatchObject({ is_valid: true, scopes: ["ok"] });
  },
  TIMEOUT_MS,
);

test(
  "a batch in which everything fails, and one request that cannot be read at all",
  async () => {
    const keys = Array.from({ length: 45 }, (_, index) => ({ raw_key: `all-${index}`, name: "n", actor_id: "a" }));
    await api.batchImport(keys);
    const rows = keys.map((key, index) => ({ ...key, name: "other", ...(index === 33 && { color: "red" }) }));
    const file = write("all.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    expect(await runLatchkey(["import-file", file], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("45 of 45 rows were not imported"),
    });
    const errors = readFileSync(`${file}.failures.jsonl`, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)._error);
    expect(errors.filter((error) => error === EXISTS)).toHaveLength(44);
    expect(errors[33]).toContain("color");
  },
  TIMEOUT_MS,
);

test(
  "killed in the middle, the same command goes on, and the set is exact",
  async () => {
    const content = Array.from({ length: ROWS }, (_, index) => `many-${index},n,many\n`).join("");
    const file = write("many.csv", `raw_key,name,actor_id\n${content}`);
    const state = `${file}.failures.jsonl.state`;
    const killed = new LatchkeyProcess(["import-file", file], env);
    await eventually("a batch to be done", () => {
      const isBegun = existsSync(state) && JSON.parse(readFileSync(state, "utf8")).rows > 0;
      return isBegun || undefined;
    });
    killed.kill("SIGKILL");
    await killed.ended;
    expect(existsSync(state)).toBe(true);
    const said = await runLatchkey(["import-file", file], env);
    expect(said).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^went on after \d+ rows of an earlier run\nimported 4000 keys\n$/),
    });
    let count = 0;
    let token = "";
    do {
      const page = await api.listImported({ page_size: 1000, page_token: token, filter: 'actor_id = "many"' });
      count += page.imported_api_keys.length;
      token = page.next_page_token;
    } while (token !== "");
    expect(count).toBe(ROWS);
    expect(await api.verify(`many-${ROWS - 1}`)).toMatchObject({ is_valid: true });
  },
  TIMEOUT_MS,
);

test(
  "--dry-run sends nothing",
  async () => {
    const file = write("dry.csv", "raw_key,name,actor_id\ndry-1,n,a\ndry-2,n\n");
    expect(await runLatchkey(["import-file", file, "--dry-run"], env)).toEqual({
      code: 1,
      stdout: "",
      stderr: `line 3: has 2 cells, not 3\n2 rows, 1 to import, 1 that cannot be; nothing was sent\nlatchkey: ${file}: 1 of 2 rows cannot be imported\n`,
    });
    expect(await api.verify("dry-1")).toMatchObject({ is_valid: false });
  },
  TIMEOUT_MS,
);

test(
  "what makes the whole command fail",
  async () => {
    const file = write("few.csv", "raw_key,name,actor_id\nfew-1,n,a\n");
    const run = async (words: string[], more: Record<string, string> = {}) => {
      const { code, stderr } = await runLatchkey(["import-file", ...words], { ...env, ...more });
      return { code, stderr };
    };
    expect(await run([file], { LATCHKEY_TOKEN: "wrong" })).toEqual({
      code: 1,
      stderr: expect.stringMatching(/: set LATCHKEY_TOKEN or --token-file to a token with the role admin\n$/),
    });
    expect(await run([file], { LATCHKEY_ENDPOINT: "http://127.0.0.1:1" })).toEqual({
      code: 3,
      stderr: expect.stringMatching(
        /^latchkey: the service at http:\/\/127\.0\.0\.1:1 cannot be reached \(.*\): run the same command again to go on\n$/,
      ),
    });
    // Neither kept anything from being imported now.
    expect(await run([file])).toEqual({ code: 0, stderr: "imported 1 keys\n" });
    expect(await run([file], { LATCHKEY_ENDPOINT: "localhost" })).toEqual({
      code: 1,
      stderr: `latchkey: ${file}: the endpoint localhost must be an http:// or https:// address\n`,
    });
    expect(await run([write("keys.txt", "")])).toEqual({
      code: 1,
      stderr: `latchkey: ${inParent("keys.txt")}: say --format csv or --format jsonl\n`,
    });
    expect(await run([file, "--format", "xml"])).toMatchObject({ code: 2 });
  },
  TIMEOUT_MS,
);
