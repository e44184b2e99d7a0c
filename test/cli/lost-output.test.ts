import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { latchkeyWords, runLatchkey } from "./run-latchkey.js";

const FULL = "/dev/full";
const TIMEOUT_MS = 60_000;
const NO_SPACE = "latchkey: standard output cannot be written (ENOSPC)\n";
const ISSUE = ["keys", "issue", "demo", "--actor", "me"];

const directory = mkdtempSync(join(tmpdir(), "latchkey-lost-"));
let server: TestServer;
let oldKeyId = "";

/** The store itself, and a service. */
const places = {
  store: () => ({ LATCHKEY_SERVER_PORT: "1" }),
  service: () => ({ LATCHKEY_ENDPOINT: server.url, LATCHKEY_TOKEN: server.tokens.admin }),
} as const;

beforeAll(async () => {
  server = await startTestServer();
  const { out } = await runLatchkey([...ISSUE, "--format", "json"], { env: places.service(), cwd: directory });
  oldKeyId = JSON.parse(out).issued_api_key.key_id;
  await runLatchkey(ISSUE, { env: places.store(), cwd: directory });
}, TIMEOUT_MS);
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs `latchkey` with a standard output that takes nothing: a disk that is full, or a pipe that nobody reads. */
async function runUnread(output: "full" | "pipe", words: readonly string[], env: Readonly<Record<string, string>>) {
  const file = output === "full" ? openSync(FULL, "w") : undefined;
  const stdio: StdioOptions = ["ignore", file ?? "pipe", "pipe"];
  const [program = "", ...more] = latchkeyWords(words);
  const child = spawn(program, more, { cwd: directory, env: { PATH: process.env.PATH ?? "", ...env }, stdio });
  if (file !== undefined) closeSync(file);
  child.stdout?.destroy();
  let err = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, err };
}

const hasFull = existsSync(FULL);
const testFull = hasFull ? test : test.skip;
const skipped = hasFull ? "" : `, skipped: there is no ${FULL}`;

describe.each(["store", "service"] as const)("the secret of a key is lost, from a %s", (place) => {
  const isFull = { full: testFull, pipe: test };
  for (const output of ["full", "pipe"] as const) {
    isFull[output](
      `a ${output}${output === "full" ? skipped : ""}`,
      async () => {
        const env = places[place]();
        const { code, err } = await runUnread(output, ISSUE, env);
        expect(code).toBe(1);
        const [, told = "", keyId = ""] =
          /^(.*?)latchkey: the key (\S+) was made, but its secret could not be written: rotate or revoke it\n/s.exec(
            err,
          ) ?? [];
        expect(output === "full" ? ["", NO_SPACE] : [""]).toContain(told);
        const { out } = await runLatchkey(["keys", "get", keyId], { env, cwd: directory });
        expect(out).toMatch(/^name +demo$/m);
      },
      TIMEOUT_MS,
    );
  }
});

test("so of a rotation", async () => {
  const { code, err } = await runUnread("pipe", ["keys", "rotate", oldKeyId, "--format", "json"], places.service());
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(
      /^latchkey: the key [0-9a-f-]{36} was made, but its secret could not be written: rotate or revoke it\n$/,
    ),
  });
  expect(err).not.toContain(oldKeyId);
});

testFull.each([
  ["keys", "list"],
  ["keys", "list", "--format", "json"],
  ["jwk", "generate", "eddsa"],
  ["config", "check"],
])(`what is written can be had again: %s %s${skipped}`, async (...words) => {
  expect(await runUnread("full", words, places.store())).toEqual({ code: 1, err: NO_SPACE });
});

test("a pipe that nobody reads any more is no failure", async () => {
  expect(await runUnread("pipe", ["keys", "list"], places.store())).toEqual({ code: 0, err: "" });
});
