/** `latchkey keys import-file` as a real process: over REST, over gRPC, and on the store itself. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { runLatchkey } from "./latchkey-process.js";
import { adminTokens, randomTokens } from "./server.js";

const TIMEOUT_MS = 60_000;
const EXISTS = "a key with this raw key was imported before";
/** Longer than a scope may be. */
const LONG = "x".repeat(256);
const HEADER = "raw_key,name,actor_id\n";

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

function readLines(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const importFile = (file: string, words: readonly string[] = [], more: Readonly<Record<string, string>> = {}) =>
  runLatchkey(["keys", "import-file", file, ...words], { ...env, ...more });

describe.each(["http", "grpc"])("over %s", (protocol) => {
  const endpoint = () => ["--endpoint", String(env.LATCHKEY_ENDPOINT).replace("http:", `${protocol}:`)];
  const key = (name: string) => `${protocol}-${name}`;

  test(
    "imports what can be, and says where the rest is; fed back, it is imported",
    async () => {
      await api.importKey({ raw_key: key("taken"), actor_id: "someone" });
      const file = write(
        `${protocol}.csv`,
        `\ufeffkey,name,owner,scopes,ttl\r\n${key("good-1")},"one, quoted",me,a b,\r\n${key("taken")},two,me,,\r\nshort\r\n` +
          `${key("good-2")},four,me,,1d\r\n${key("bad-scope")},five,me,${LONG},\r\n${key("bad-ttl")},six,me,,never\r\n`,
      );
      const failures = `${file}.failures.jsonl`;
      expect(await importFile(file, ["--map", "raw_key=key", "--map", "actor_id=owner", ...endpoint()])).toEqual({
        code: 1,
        stdout: "imported 2 keys\n",
        stderr: `latchkey: ${file}: 4 of 6 rows were not imported: they are in ${failures}, which holds their keys\n`,
      });
      expect(await api.verify(key("good-1"))).toMatchObject({ is_valid: true, actor_id: "me", scopes: ["a", "b"] });
      expect(await api.verify(key("good-2"))).toMatchObject({ is_valid: true });
      expect(await api.verify(key("taken"))).toMatchObject({ actor_id: "someone" });
      const lines = readLines(failures);
      expect(lines.map(({ _line, raw_key, _error }) => [_line, raw_key, _error])).toEqual([
        [3, key("taken"), EXISTS],
        [4, "short", "has 1 cells, not 5"],
        [6, key("bad-scope"), "scopes[0]: must be 1 to 255 printable characters without spaces"],
        [7, key("bad-ttl"), 'ttl: expected a duration such as "3600s", "1h30m" or "30d"'],
      ]);

      const mended = lines.slice(1).map((line) => ({
        ...line,
        raw_key: key(String(line._line)),
        name: "n",
        actor_id: "me",
        scopes: ["ok"],
        ttl: "1d",
      }));
      const again = write(`${protocol}-mended.jsonl`, mended.map((line) => `${JSON.stringify(line)}\n`).join(""));
      expect(await importFile(again, endpoint())).toEqual({ code: 0, stdout: "imported 3 keys\n", stderr: "" });
      expect(existsSync(`${again}.failures.jsonl`)).toBe(false);
      expect(await api.verify(key("6"))).toMatchObject({ is_valid: true, scopes: ["ok"] });
    },
    TIMEOUT_MS,
  );

  test(
    "a batch in which everything fails, and requests that cannot be read at all",
    async () => {
      const keys = Array.from({ length: 45 }, (_, index) => ({
        raw_key: key(`all-${index}`),
        name: "n",
        actor_id: "a",
      }));
      await api.batchImport(keys);
      const rows = keys.map((row, index) => ({ ...row, name: "other", ...(index % 11 === 3 && { color: "red" }) }));
      const file = write(`${protocol}-all.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      const failures = `${file}.failures.jsonl`;
      expect(await importFile(file, endpoint())).toEqual({
        code: 1,
        stdout: "imported 0 keys\n",
        stderr: `latchkey: ${file}: 45 of 45 rows were not imported: they are in ${failures}, which holds their keys\n`,
      });
      const unknown = "color: unknown field";
      expect(readLines(failures).map(({ _error }) => _error)).toEqual(
        keys.map((_, index) => (index % 11 === 3 ? unknown : EXISTS)),
      );
    },
    TIMEOUT_MS,
  );
});

describe("without an option", () => {
  const FILE = "keys.csv";
  const makeDirectory = (name: string) => {
    mkdirSync(inParent(name));
    writeFileSync(join(inParent(name), FILE), `${HEADER}k1,n,a\nk2,n,a\n`);
    return inParent(name);
  };

  test(
    "where no service listens, the keys are in the store itself",
    async () => {
      const cwd = makeDirectory("fresh");
      // Port 1 is nobody's.
      const run = (words: readonly string[]) => runLatchkey(words, { LATCHKEY_SERVER_PORT: "1" }, cwd);
      const dry = await run(["keys", "import-file", FILE, "--dry-run", "--format", "json"]);
      expect({ ...dry, stdout: JSON.parse(dry.stdout) }).toEqual({
        code: 0,
        stdout: { rows: 2, problems: 0, first_problems: [] },
        stderr: "",
      });
      expect(existsSync(join(cwd, "data"))).toBe(false);
      const { code, stdout, stderr } = await run(["keys", "import-file", FILE, "--format", "json"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({ rows: 2, imported: 2, failed: 0 });
      const listed = await run(["keys", "list", "--imported", "--format", "json"]);
      expect(JSON.parse(listed.stdout).imported_api_keys).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  test(
    "a service that runs is used, with the token of its data directory",
    async () => {
      const cwd = makeDirectory("served");
      const own = new ChildService({ cwd });
      try {
        const { port } = new URL(await own.ready());
        expect(await runLatchkey(["keys", "import-file", FILE], { LATCHKEY_SERVER_PORT: port }, cwd)).toEqual({
          code: 0,
          stdout: "imported 2 keys\n",
          stderr: "",
        });
        // The call is in the log of the service.
        await own.logged("call");
      } finally {
        await own.stop();
      }
    },
    TIMEOUT_MS,
  );
});

test(
  "--dry-run sends nothing",
  async () => {
    const file = write("dry.csv", `${HEADER}dry-1,n,a\ndry-2,n\n`);
    expect(await importFile(file, ["--dry-run"])).toEqual({
      code: 1,
      stdout: "line 3: has 2 cells, not 3\n2 rows, 1 to import, 1 that cannot be; nothing was sent\n",
      stderr: `latchkey: ${file}: 1 of 2 rows cannot be imported\n`,
    });
    expect(await api.verify("dry-1")).toMatchObject({ is_valid: false });
  },
  TIMEOUT_MS,
);

describe("what makes the whole command fail", () => {
  const usage = (stderr: string) => ({ code: 2, stdout: "", stderr });

  test(
    "a service that is not there, or does not take the token: nothing keeps the keys from being imported later",
    async () => {
      const file = write("few.csv", `${HEADER}few-1,n,a\n`);
      expect(await importFile(file, [], { LATCHKEY_TOKEN: "wrong" })).toEqual({
        code: 1,
        stdout: "",
        stderr:
          "latchkey: a valid bearer token is required\n" +
          "  the token was refused: set LATCHKEY_TOKEN, or --token-file, to one that this service knows\n",
      });
      expect(await importFile(file, [], { LATCHKEY_TOKEN: tokens.reader })).toEqual({
        code: 1,
        stdout: "",
        stderr:
          "latchkey: the role reader may not call this method\n" +
          "  another token may: set LATCHKEY_TOKEN or --token-file\n",
      });
      expect(await importFile(file, ["--endpoint", "grpc://127.0.0.1:1"])).toEqual({
        code: 3,
        stdout: "",
        stderr:
          "latchkey: grpc://127.0.0.1:1 cannot be reached (ECONNREFUSED): is the service running there?\n" +
          "  the same command goes on where this one ended\n",
      });
      expect(await importFile(file)).toEqual({ code: 0, stdout: "imported 1 keys\n", stderr: "" });
    },
    TIMEOUT_MS,
  );

  test.each([
    [
      ["--endpoint", "localhost"],
      "latchkey: --endpoint must be http://, https://, grpc:// or grpcs:// and an address, such as http://127.0.0.1:4420\n",
    ],
    [
      ["--input-format", "xml"],
      "latchkey: option '--input-format <format>' argument 'xml' is invalid. Allowed choices are csv, jsonl.\n",
    ],
    [["--map", "colour=x"], "latchkey: --map colour=x: must be FIELD=..., with a field of a key\n"],
    [["--map", "name"], "latchkey: --map name: must be FIELD=..., with a field of a key\n"],
    [["--set", "name=a", "--set", "name=b"], "latchkey: --set: name is there twice\n"],
    [
      ["--set", "raw_key=hunter2"],
      "latchkey: --set: a raw key is no word of the command line, where others can see it\n",
    ],
  ])("a wrong command line: %j", async (words, stderr) => {
    expect(await importFile(write("usage.csv", `${HEADER}usage-1,n,a\n`), words)).toEqual(usage(stderr));
  });

  test("a file whose name does not tell what it is", async () => {
    const file = write("keys.txt", "");
    const stderr = `latchkey: ${file}: say --input-format csv or --input-format jsonl\n`;
    expect(await importFile(file)).toEqual(usage(stderr));
  });
});

describe("a file that cannot be read to its end: nothing of it is imported, and nothing is left beside it", () => {
  const MIB = 1024 * 1024;
  /** Of a key that could be imported, and must not be. */
  const first = `${HEADER}unread-1,n,unread\n`;
  const LONG_ROW = "a row is longer than 262144 bytes; a quote may not be closed";
  const MISPLACED = "a quote is in the wrong place: a cell with quotes is in quotes, and each in it is doubled";

  test.each<[string, string, string | Buffer, string]>([
    ["nothing", "csv", "", "the file is empty: its first line has to name the columns"],
    ["a column twice", "csv", "raw_key,name,actor_id,name\nk,n,a,n\n", 'two columns are named "name"'],
    [
      "no column of keys",
      "csv",
      "key,name,actor_id\nk,n,a\n",
      "no column has raw_key: name one by --map raw_key=COLUMN",
    ],
    ["a quote that is not closed", "csv", `${first}"k2,n,a\nk3,n,a\n`, "line 4: a quote is never closed"],
    ["a quote within a cell", "csv", `${first}k"2,n,a\n`, `line 3: ${MISPLACED}`],
    ["a row of 10 MiB", "csv", `${first}${"x".repeat(10 * MIB)},n,a\nk3,n,a\n`, `line 3: ${LONG_ROW}`],
    ["a quoted row of 10 MiB", "csv", `${first}"${"x\n".repeat(5 * MIB)}",n,a\n`, `line 131075: ${LONG_ROW}`],
    [
      "a line of 10 MiB",
      "jsonl",
      `{"raw_key":"unread-1","name":"n","actor_id":"unread"}\n{"raw_key":"${"x".repeat(10 * MIB)}"}\n`,
      "line 2 is longer than 262144 bytes",
    ],
    ["Latin-1", "csv", Buffer.from(`${first}k\u00e9y,n,a\n`, "latin1"), "the file is not UTF-8"],
    [
      "half a character at the end",
      "csv",
      Buffer.from(`${first}\ud83d\udd11`).subarray(0, -1),
      "the file is not UTF-8",
    ],
    ["UTF-16", "csv", Buffer.from(`\ufeff${first}`, "utf16le"), "the file is not UTF-8"],
    [
      "UTF-16 without a mark, which has NUL bytes",
      "csv",
      Buffer.from(first, "utf16le"),
      "no column has raw_key: name one by --map raw_key=COLUMN",
    ],
    ["invalid UTF-8", "jsonl", Buffer.from([0x7b, 0xff, 0x7d]), "the file is not UTF-8"],
  ])("%s", async (what, format, content, message) => {
    const file = inParent(`${what.replaceAll(" ", "-")}.${format}`);
    writeFileSync(file, content);
    expect(await importFile(file)).toEqual({ code: 1, stdout: "", stderr: `latchkey: ${file}: ${message}\n` });
    expect(readdirSync(parent).filter((name) => inParent(name).startsWith(file))).toHaveLength(1);
  });

  test("a directory, and a file that is not there", async () => {
    const directory = inParent("directory.csv");
    mkdirSync(directory);
    const refused = (file: string, code: string) => ({
      code: 1,
      stdout: "",
      stderr: `latchkey: ${file}: cannot be read (${code})\n`,
    });
    expect(await importFile(directory)).toEqual(refused(directory, "EISDIR"));
    expect(await importFile(inParent("absent.csv"))).toEqual(refused(inParent("absent.csv"), "ENOENT"));
  });

  test("nothing was imported", async () => {
    expect(await api.listImported({ filter: 'actor_id = "unread"' })).toMatchObject({ imported_api_keys: [] });
  });
});

describe("files that look odd, and are imported", () => {
  test("a header alone", async () => {
    const file = write("header.csv", `\ufeff${HEADER}`);
    expect(await importFile(file)).toEqual({ code: 0, stdout: "imported 0 keys\n", stderr: "" });
    expect(existsSync(`${file}.failures.jsonl`)).toBe(false);
  });

  test("quotes, line breaks and NUL bytes in cells, CRLF, no line feed at the end", async () => {
    const file = write("odd.csv", `raw_key,name,actor_id\r\n"a ""b"", c","one\r\ntwo",odd\r\nnu\0l,three,odd`);
    expect(await importFile(file)).toEqual({ code: 0, stdout: "imported 2 keys\n", stderr: "" });
    expect(await api.verify('a "b", c')).toMatchObject({ is_valid: true, actor_id: "odd" });
    expect(await api.verify("nu\0l")).toMatchObject({ is_valid: true, actor_id: "odd" });
    const { imported_api_keys: keys } = await api.listImported({ filter: 'actor_id = "odd"' });
    expect(keys.map(({ name }) => name).sort()).toEqual(["one\r\ntwo", "three"]);
  });
});
