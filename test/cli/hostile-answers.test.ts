import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { type Run, runLatchkey } from "./run-latchkey.js";

/** What a terminal would obey, U+009B being another CSI, and what would turn the text. */
const HOSTILE = "a\u001b[2J\r\u009b1m\u007f\u202e\u2028b";
const SHOWN = "a\\u{1b}[2J\\u{d}\\u{9b}1m\\u{7f}\\u{202e}\\u{2028}b";
const KEY_ID = "00000000-0000-7000-8000-000000000000";

let answer: { readonly status: number; readonly json: unknown };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.json));
});
beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => void server.close());

function runAnswered(words: readonly string[], json: unknown, status = 200): Promise<Run> {
  answer = { status, json };
  const { port } = server.address() as AddressInfo;
  return runLatchkey(words, { env: { LATCHKEY_ENDPOINT: `http://127.0.0.1:${port}` }, input: "a-credential" });
}

describe("nothing of an answer steers the terminal", () => {
  test("an error", async () => {
    const details = [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "INVALID_ARGUMENT" },
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        field_violations: [{ field: HOSTILE, description: HOSTILE }],
      },
    ];
    const error = { code: 400, status: "INVALID_ARGUMENT", message: `${HOSTILE}\n ^`, details };
    expect(await runAnswered(["keys", "get", KEY_ID], { error }, 400)).toEqual({
      code: 1,
      out: "",
      err: `latchkey: ${SHOWN}\n ^\n  ${SHOWN}: ${SHOWN}\n`,
    });
  });

  test("names and values of fields", async () => {
    expect(await runAnswered(["keys", "get", KEY_ID], { [HOSTILE]: HOSTILE, n: "b" })).toEqual({
      code: 0,
      out: `${SHOWN}  ${SHOWN}\n${"n".padEnd(SHOWN.length)}  b\n`,
      err: "",
    });
  });

  test("a page token", async () => {
    const { err } = await runAnswered(["keys", "list"], { issued_api_keys: [], next_page_token: HOSTILE });
    expect(err).toBe(`there are more: --all, or --page-token ${SHOWN}\n`);
  });

  test("a health", async () => {
    expect(await runAnswered(["health"], { status: HOSTILE })).toEqual({ code: 1, out: `${SHOWN}\n`, err: "" });
  });

  test("JSON and YAML, which say the same all the same", async () => {
    const json = { key_id: HOSTILE, [HOSTILE]: [HOSTILE, "plain: # text", "two\nlines"], turned: "\u202e" };
    const asJson = await runAnswered(["keys", "get", KEY_ID, "--format", "json"], json);
    const asYaml = await runAnswered(["keys", "get", KEY_ID, "--format", "yaml"], json);
    expect(JSON.parse(asJson.out)).toEqual(json);
    expect(parse(asYaml.out)).toEqual(json);
    for (const { out } of [asJson, asYaml]) expect(out).toMatch(/^[ -~\n]+$/);
  });
});

describe("an answer without what every Latchkey answers, exit code 1", () => {
  test.each([
    [["jwks"], {}, "keys"],
    [["jwks"], { keys: [null] }, "keys"],
    [["jwks"], { keys: {} }, "keys"],
    [["keys", "list"], {}, "issued_api_keys"],
    [["keys", "list", "--imported", "--format", "json"], {}, "imported_api_keys"],
    [["keys", "derive"], {}, "token"],
  ])("%j: %j", async (words, json, field) => {
    const err = `latchkey: the answer is not one of Latchkey: it has no ${field}\n`;
    expect(await runAnswered(words, json)).toEqual({ code: 1, out: "", err });
  });
});
