import { describe, expect, test } from "@jest/globals";
import { type ImportRow, type RowFormat, readRows } from "../../src/transfer/import-rows.js";
import { TransferError } from "../../src/transfer/transfer-error.js";

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

interface Setting {
  readonly map?: Record<string, string>;
  readonly set?: Record<string, string>;
  readonly chunkBytes?: number;
}

async function rowsOf(
  format: RowFormat,
  content: string | Buffer,
  { map = {}, set = {}, chunkBytes = 5 }: Setting = {},
) {
  const options = { format, columns: new Map(Object.entries(map)), defaults: new Map(Object.entries(set)) };
  const rows: ImportRow[] = [];
  for await (const row of readRows(inChunks(Buffer.from(content), chunkBytes), options)) rows.push(row);
  return rows;
}

async function failure(format: RowFormat, content: string | Buffer, setting?: Setting): Promise<string> {
  const error = await rowsOf(format, content, setting).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TransferError);
  return (error as TransferError).message;
}

const HEADER = "raw_key,name,actor_id\n";

describe("CSV", () => {
  test.each([1, 5, 1000])(
    "a byte order mark, quotes, line breaks and commas in quotes, in chunks of %d bytes",
    async (chunkBytes) => {
      const content = `\ufeffraw_key,name,actor_id\r\n"a,""b""","Ключ\n🔑",me\r\n\r\nk2, n2 ,you\n`;
      expect(await rowsOf("csv", content, { chunkBytes })).toEqual([
        { line: 3, request: { raw_key: 'a,"b"', name: "Ключ\n🔑", actor_id: "me" } },
        { line: 5, request: { raw_key: "k2", name: " n2 ", actor_id: "you" } },
      ]);
    },
  );

  test("columns of other names, values for all rows, lists and metadata", async () => {
    const content =
      'key,owner,scopes,metadata,metadata.plan,allowed_cidrs,unused\nk1,me,"a b,c","{""x"": 1}",pro,10.0.0.0/8,z\nk2,,,,,,\n';
    const setting = { map: { raw_key: "key", actor_id: "owner" }, set: { name: "legacy", actor_id: "nobody" } };
    expect(await rowsOf("csv", content, setting)).toEqual([
      {
        line: 2,
        request: {
          raw_key: "k1",
          name: "legacy",
          actor_id: "me",
          scopes: ["a", "b", "c"],
          metadata: { x: 1, plan: "pro" },
          ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] },
        },
      },
      { line: 3, request: { raw_key: "k2", name: "legacy", actor_id: "nobody" } },
    ]);
  });

  test("a malformed row is a problem of its own", async () => {
    const rows = await rowsOf("csv", `${HEADER}k1,n,a\nk2,n\nk3,n,a,more\n,n,a\nk5,n,a\n`);
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, undefined],
      [3, "has 2 cells, not 3"],
      [4, "has 4 cells, not 3"],
      [5, "raw_key: is required"],
      [6, undefined],
    ]);
    const [, bad] = await rowsOf("csv", "raw_key,name,actor_id,metadata\nk1,n,a,{}\nk2,n,a,[1]\n");
    expect(bad?.problem).toBe("metadata: must be a JSON object");
  });

  test.each([
    ["", "the file is empty: its first line has to name the columns"],
    ["key,name,actor_id\nk,n,a\n", "no column has raw_key: name one by --map raw_key=COLUMN"],
    [
      "raw_key,name\nk,n\n",
      "no column has actor_id: name one by --map actor_id=COLUMN, or a value by --set actor_id=VALUE",
    ],
    ["raw_key,name,name,actor_id\n", 'two columns are named "name"'],
    [`${HEADER}k1,n,a\n"k2,n,a\nk3,n,a\n`, "line 4: a quote is never closed"],
    [
      `${HEADER}k1,n,a\nk"2,n,a\n`,
      "line 3: a quote is in the wrong place: a cell with quotes is in quotes, and each in it is doubled",
    ],
    [
      `${HEADER}k1,n,a\n"k2"x,n,a\n`,
      "line 3: a quote is in the wrong place: a cell with quotes is in quotes, and each in it is doubled",
    ],
  ])("%j as a whole is refused", async (content, message) => {
    expect(await failure("csv", content)).toBe(message);
  });

  test("what is no UTF-8, a column that is not there, and a quote that swallows the file are refused", async () => {
    expect(await failure("csv", Buffer.from(`${HEADER}k\u00e9y,n,a\n`, "latin1"))).toBe("the file is not UTF-8");
    expect(await failure("csv", Buffer.from(`\ufeff${HEADER}`, "utf16le"))).toBe("the file is not UTF-8");
    expect(await failure("csv", HEADER, { map: { scopes: "x" } })).toBe('there is no column "x"');
    const endless = `${HEADER}"k1,n,a\n${"k,n,a\n".repeat(60_000)}`;
    expect(await failure("csv", endless, { chunkBytes: 65_536 })).toMatch(
      /^line \d+: a row is longer than 262144 bytes; a quote may not be closed$/,
    );
  });
});

describe("JSON lines", () => {
  test("a request each, with or without a line feed at the end", async () => {
    const content =
      '\ufeff{"raw_key":"k\u2028","name":"n","actor_id":"a","scopes":["x"]}\r\n\n{"key":"k2","name":"n","_error":"x","_line":7}';
    expect(await rowsOf("jsonl", content, { set: { actor_id: "b" } })).toEqual([
      { line: 1, request: { raw_key: "k\u2028", name: "n", actor_id: "a", scopes: ["x"] } },
      { line: 3, request: { key: "k2", name: "n", actor_id: "b" }, problem: "raw_key: is required" },
    ]);
    expect((await rowsOf("jsonl", content, { set: { actor_id: "b" }, map: { raw_key: "key" } }))[1]).toEqual({
      line: 3,
      request: { raw_key: "k2", name: "n", actor_id: "b" },
    });
  });

  test("a line that is no object is a problem of its own, and stays one when it is fed back", async () => {
    const rows = await rowsOf("jsonl", '{"raw_key":\n[1]\n{"raw_key":"k","name":"n","actor_id":"a"}\n');
    expect(rows.map(({ problem }) => problem)).toEqual(["must be a JSON object", "must be a JSON object", undefined]);
    const [again] = await rowsOf("jsonl", `${JSON.stringify({ ...rows[0]?.request, _line: 1, _error: "x" })}\n`);
    expect(again).toEqual({ line: 1, request: { _raw: '{"raw_key":' }, problem: "raw_key: is required" });
  });
});
