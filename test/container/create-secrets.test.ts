import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { runExecutable } from "./run-executable.js";

const FILES = ["admin-token", "admin-tokens.json", "hmac", "pepper", "signing-jwks.json"];
const PERMISSION_BITS = 0o777;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-create-secrets-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const create = () => runExecutable("src/container/create-secrets.ts", [dataDir]);
const read = (name: string) => readFileSync(join(dataDir, "secrets", name), "utf8");
const readAll = () => Object.fromEntries(readdirSync(join(dataDir, "secrets")).map((name) => [name, read(name)]));
const hashOfToken = () => createHash("sha256").update(read("admin-token").trim()).digest("hex");

test("makes every secret, for its user only, and says where they are", async () => {
  const secrets = join(dataDir, "secrets");
  expect(await create()).toEqual({
    code: 0,
    stdout: `The secrets are in ${secrets}; the admin token is ${secrets}/admin-token.\n`,
    stderr: "",
  });
  expect(readdirSync(secrets).sort()).toEqual(FILES);
  expect(FILES.map((name) => statSync(join(secrets, name)).mode & PERMISSION_BITS)).toEqual(FILES.map(() => 0o600));
  expect(statSync(secrets).mode & PERMISSION_BITS).toBe(0o700);
});

test("the token's hash is among the admin tokens, and nothing else", async () => {
  await create();
  expect(JSON.parse(read("admin-tokens.json"))).toEqual([
    { name: "admin", token_sha256: hashOfToken(), role: "admin" },
  ]);
});

test("changes nothing that is there", async () => {
  await create();
  const first = readAll();
  expect(await create()).toEqual({ code: 0, stdout: `The secrets are in ${join(dataDir, "secrets")}.\n`, stderr: "" });
  expect(readAll()).toEqual(first);
});

test("goes on where it was interrupted", async () => {
  await create();
  const { "admin-tokens.json": tokens, ...others } = readAll();
  rmSync(join(dataDir, "secrets", "admin-tokens.json"));
  await create();
  expect(readAll()).toEqual({ ...others, "admin-tokens.json": tokens });
});

test("makes no new token for who took it away, or chose others", async () => {
  await create();
  const chosen = '[{"name":"ops","token":"0123456789abcdef","role":"admin"}]';
  writeFileSync(join(dataDir, "secrets", "admin-tokens.json"), chosen);
  rmSync(join(dataDir, "secrets", "admin-token"));
  await create();
  const { "admin-tokens.json": tokens, "admin-token": token } = readAll();
  expect({ tokens, token }).toEqual({ tokens: chosen, token: undefined });
});

test("several at once make the same", async () => {
  const ended = await Promise.all([create(), create(), create()]);
  expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ended.map(() => ({ code: 0, stderr: "" })));
  expect(readdirSync(join(dataDir, "secrets")).sort()).toEqual(FILES);
  expect(JSON.parse(read("admin-tokens.json"))[0].token_sha256).toBe(hashOfToken());
});

test("says what is in its way", async () => {
  const secrets = join(dataDir, "secrets");
  mkdirSync(secrets);
  chmodSync(secrets, 0o770);
  expect(await create()).toEqual({
    code: 1,
    stdout: "",
    stderr: `${secrets}: other users of this machine can write to it: run chmod 700 ${secrets}\n`,
  });
});

test("needs the data directory", async () => {
  expect(await runExecutable("src/container/create-secrets.ts", [])).toEqual({
    code: 1,
    stdout: "",
    stderr: "create-secrets: the data directory is missing\n",
  });
});
