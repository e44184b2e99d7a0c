/** `latchkey export`, `restore` and `backup` as real processes: what they refuse, and what they leave. */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openEmbeddedStore } from "../../src/store/embedded/open-embedded-store.js";
import { sampleRecord } from "../store/sample-record.js";
import { withSum } from "../transfer/export-of.js";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { LatchkeyProcess, runLatchkey } from "./latchkey-process.js";
import { adminTokens, randomTokens } from "./server.js";

const KEYS = 60;
/** It takes a while to copy. */
const LARGE_BYTES = 64 * 1024 * 1024;
const LARGE_KEYS = 640;
const PERMISSIONS = 0o777;
const TIMEOUT_MS = 60_000;

const parent = mkdtempSync(join(tmpdir(), "latchkey-transfer-"));
const inParent = (...names: string[]) => join(parent, ...names);
const file = inParent("keys.jsonl");
const tokens = randomTokens();
const services: ChildService[] = [];
let env: Readonly<Record<string, string>>;
let api: Api;
const secrets: string[] = [];

async function serve(dataDir: string): Promise<Api> {
  const service = new ChildService({
    env: { LATCHKEY_ADMIN_TOKENS: adminTokens(tokens), LATCHKEY_DATA_DIR: dataDir, LATCHKEY_LOG_LEVEL: "warn" },
  });
  services.push(service);
  return new Api(createFetchRestClient(await service.ready()), tokens);
}

/** An export with another version in its first line, whose checksum fits. */
function withVersion(text: string, version: number): string {
  const [first = "", ...others] = text.split("\n");
  return [withSum(first.replace('"version":1', `"version":${version}`)).trimEnd(), ...others].join("\n");
}

/** A data directory with the secrets of the service, and no store. */
function freshEnv(name: string): Readonly<Record<string, string>> {
  cpSync(inParent("data", "secrets"), inParent(name, "secrets"), { recursive: true });
  return { LATCHKEY_DATA_DIR: inParent(name) };
}

/** A store that takes a while to copy. Answers its data directory. */
async function largeStore(name: string): Promise<string> {
  const { LATCHKEY_DATA_DIR: dataDir = "" } = freshEnv(name);
  const store = await openEmbeddedStore({ directory: join(dataDir, "store") });
  const metadata = { text: "x".repeat(LARGE_BYTES / LARGE_KEYS) };
  await store.insertMany(Array.from({ length: LARGE_KEYS }, () => sampleRecord({ metadata })));
  await store.close();
  return dataDir;
}

/** Sends a command SIGINT as soon as there is a part of what it makes. */
async function interrupt(command: "export" | "backup", dataDir: string) {
  const directory = `${dataDir}-copies`;
  mkdirSync(directory);
  const watcher = watch(directory);
  const isMade = once(watcher, "change");
  const target = join(directory, "monday");
  const child = new LatchkeyProcess([command, target], { LATCHKEY_DATA_DIR: dataDir });
  await isMade;
  watcher.close();
  child.kill("SIGINT");
  return { code: await child.ended, stderr: child.stderr, target, left: readdirSync(directory) };
}

beforeAll(async () => {
  env = { LATCHKEY_DATA_DIR: inParent("data") };
  api = await serve(inParent("data"));
  for (let count = 0; count < KEYS; count += 1) {
    secrets.push((await api.issue({ actor_id: "a", request_id: `request ${count}` })).secret);
  }
  const said = await runLatchkey(["export", file], env);
  expect(said).toEqual({ code: 0, stdout: "", stderr: `exported ${KEYS} keys\n` });
}, TIMEOUT_MS);

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  rmSync(parent, { recursive: true });
});

describe("latchkey export", () => {
  test("nobody else can read the file, and no secret of a key is in it", () => {
    expect(statSync(file).mode & PERMISSIONS).toBe(0o600);
    const text = readFileSync(file, "utf8");
    for (const secret of secrets) expect(text).not.toContain(secret);
    for (const name of ["hmac", "pepper"]) {
      expect(text).not.toContain(readFileSync(inParent("data", "secrets", name), "utf8").trim());
    }
    expect(readdirSync(parent).filter((name) => name.includes(".part"))).toEqual([]);
  });

  test("overwrites nothing", async () => {
    const other = inParent("mine");
    writeFileSync(other, "mine");
    expect(await runLatchkey(["export", other], env)).toEqual({
      code: 1,
      stdout: "",
      stderr: `latchkey: ${other} is there already; nothing is overwritten\n`,
    });
    expect(readFileSync(other, "utf8")).toBe("mine");
  });

  test("- is stdout", async () => {
    const { code, stdout, stderr } = await runLatchkey(["export", "-"], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `exported ${KEYS} keys\n` });
    expect(stdout.split("\n").slice(1, -2)).toEqual(readFileSync(file, "utf8").split("\n").slice(1, -2));
  });

  test("makes no store and no secrets where there are none", async () => {
    const { code, stderr } = await runLatchkey(["export", inParent("none.jsonl")], {
      LATCHKEY_DATA_DIR: inParent("nowhere"),
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `latchkey: there is no store in ${inParent("nowhere", "store")}\n`,
    });
    expect(existsSync(inParent("nowhere"))).toBe(false);
    expect(existsSync(inParent("none.jsonl"))).toBe(false);
  });

  test("that is ended leaves no file under the name", async () => {
    const killed = inParent("killed.jsonl");
    const following = new LatchkeyProcess(["export", killed, "--follow"], env);
    await following.said(/^pass 1: /m);
    following.kill("SIGKILL");
    expect(await following.ended).toBeNull();
    expect(existsSync(killed)).toBe(false);
    // What it left is not in the way.
    expect(await runLatchkey(["export", killed], env)).toMatchObject({ code: 0 });
    const parts = readdirSync(parent).filter((name) => name.startsWith("killed.jsonl.part-"));
    expect(parts).toHaveLength(1);
    for (const part of parts) rmSync(inParent(part));
  });

  test("that is interrupted leaves nothing", async () => {
    const { code, stderr, left } = await interrupt("export", await largeStore("large-export"));
    expect({ code, stderr }).toEqual({ code: 1, stderr: "latchkey: the export was interrupted\n" });
    expect(left).toEqual([]);
  });
});

describe("latchkey restore", () => {
  test("a cut export is refused before a store is made", async () => {
    const target = freshEnv("cut");
    const cut = inParent("cut.jsonl");
    writeFileSync(cut, readFileSync(file).subarray(0, -1000));
    const { code, stderr } = await runLatchkey(["restore", cut], target);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^latchkey: \S+cut\.jsonl: the export is cut short: it ends in the middle of line \d+\n$/);
    expect(readdirSync(inParent("cut"))).toEqual(["secrets"]);
  });

  test.each<[string, (text: string) => string, string]>([
    ["of a later release", (text) => withVersion(text, 2), "the export has version 2, this release reads version 1"],
    [
      "with a byte changed",
      (text) => text.replace('"actor_id":"a"', '"actor_id":"b"'),
      "line 2 was damaged or edited: it does not fit its checksum",
    ],
    [
      "without a line",
      (text) => text.split("\n").toSpliced(5, 1).join("\n"),
      "the export was edited: lines are missing, were added, changed or put in another order",
    ],
    ["with nothing in it", () => "", "the export is empty"],
  ])("an export %s is refused before a store is made", async (what, change, message) => {
    const name = what.replaceAll(" ", "-");
    const target = freshEnv(name);
    const changed = inParent(`${name}.jsonl`);
    writeFileSync(changed, change(readFileSync(file, "utf8")));
    const stderr = `latchkey: ${changed}: ${message}\n`;
    expect(await runLatchkey(["restore", changed], target)).toEqual({ code: 1, stdout: "", stderr });
    expect(readdirSync(inParent(name))).toEqual(["secrets"]);
  });

  test("without the secrets of the service it is refused, and none are made", async () => {
    const { code, stderr } = await runLatchkey(["restore", file], { LATCHKEY_DATA_DIR: inParent("bare") });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `latchkey: ${inParent("bare", "secrets", "pepper")}: is not there: set secrets.pepper, or copy the directory secrets/ of the service that the keys are from\n`,
    });
    expect(existsSync(inParent("bare"))).toBe(false);
  });

  test("with another pepper it is refused", async () => {
    const { code, stderr } = await runLatchkey(["restore", file], {
      LATCHKEY_DATA_DIR: inParent("other"),
      LATCHKEY_SECRETS_PEPPER: "another-pepper-of-some-length-0123456789",
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `latchkey: ${file}: the export is of a service with another secrets.pepper; use the secrets of that service, for imported keys cannot be found with others\n`,
    });
  });

  test("a file that is not there, a directory, and a missing argument", async () => {
    for (const [name, code] of [
      ["lost.jsonl", "ENOENT"],
      ["data", "EISDIR"],
    ] as const) {
      expect(await runLatchkey(["restore", inParent(name)], env)).toEqual({
        code: 1,
        stdout: "",
        stderr: `latchkey: ${inParent(name)}: cannot be read (${code})\n`,
      });
    }
    expect(await runLatchkey(["restore"], env)).toMatchObject({
      code: 2,
      stderr: "latchkey: missing required argument 'file'\n",
    });
  });

  test("a pipe is refused: the file is read twice", async () => {
    const pipe = inParent("pipe");
    execFileSync("mkfifo", [pipe]);
    const refused = (path: string) => ({
      code: 1,
      stdout: "",
      stderr: `latchkey: ${path}: is no regular file: it is read twice, so it cannot be a pipe or a device\n`,
    });
    for (const path of [pipe, "/dev/null"]) {
      expect(await runLatchkey(["restore", path], freshEnv("piped"))).toEqual(refused(path));
    }
    expect(existsSync(inParent("piped", "store"))).toBe(false);
    const keysFile = ["keys", "import-file", pipe, "--input-format", "csv"];
    expect(await runLatchkey(keysFile, freshEnv("piped"))).toEqual(refused(pipe));
  });

  test("a store that holds keys stays as it is", async () => {
    const { code, stderr } = await runLatchkey(["restore", file], env);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `latchkey: ${file}: the store holds keys already, and nothing was written: restore into an empty one, or go on with an interrupted restore of the same export by --resume\n`,
    });
  });
});

describe("latchkey backup", () => {
  test("a copy that is made while keys are issued is a store, with every key from before", async () => {
    let isDone = false;
    const issuing = (async () => {
      while (!isDone) await api.issue({ actor_id: "b" });
    })();
    const copy = inParent("copy", "store");
    const said = await runLatchkey(["backup", copy], env);
    isDone = true;
    await issuing;
    expect(said).toEqual({
      code: 0,
      stdout: "",
      stderr: `${copy} is a copy of the store; the secrets are not in it\n`,
    });
    expect(readdirSync(copy)).toEqual(["data.mdb"]);
    expect([statSync(copy).mode & PERMISSIONS, statSync(join(copy, "data.mdb")).mode & PERMISSIONS]).toEqual([
      0o700, 0o600,
    ]);
    freshEnv("copy");
    const restored = await serve(inParent("copy"));
    for (const secret of secrets) expect(await restored.verify(secret)).toMatchObject({ is_valid: true });
  });

  test("goes into a new directory only", async () => {
    expect(await runLatchkey(["backup", inParent("data")], env)).toEqual({
      code: 1,
      stdout: "",
      stderr: `latchkey: ${inParent("data")} is there already; a backup goes into a new directory\n`,
    });
  });

  test("leaves alone what is beside the new directory", async () => {
    const mine = inParent("beside.part", "mine");
    mkdirSync(inParent("beside.part"));
    writeFileSync(mine, "mine");
    expect(await runLatchkey(["backup", inParent("beside")], env)).toMatchObject({ code: 0 });
    expect(readFileSync(mine, "utf8")).toBe("mine");
    expect(readdirSync(parent).filter((name) => name.startsWith("beside"))).toEqual(["beside", "beside.part"]);
  });

  test("that is interrupted ends when the copy is made, and leaves nothing", async () => {
    const { code, stderr, target, left } = await interrupt("backup", await largeStore("large-backup"));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "latchkey: the copy is removed as soon as it is made; another signal ends this now, and leaves a part\n" +
        `latchkey: the backup ${target} was interrupted, and removed\n`,
    });
    expect(left).toEqual([]);
  });

  test("is not for MongoDB", async () => {
    const uri = "mongodb://127.0.0.1:1";
    expect(await runLatchkey(["backup", inParent("x")], { ...env, LATCHKEY_STORE_MONGODB_URI: uri })).toEqual({
      code: 1,
      stdout: "",
      stderr: "latchkey: the keys are in MongoDB: back it up with its own tools, or run latchkey export\n",
    });
  });
});
