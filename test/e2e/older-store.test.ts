/** Commands on a store of an earlier format: services of the release before may be using it. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import type { FixtureKeys } from "../fixtures/fixture-keys.js";
import { fixtureSettings } from "../fixtures/fixture-settings.js";
import { runLatchkey } from "./latchkey-process.js";

const PRIVATE_DIRECTORY_MODE = 0o700;
const TIMEOUT_MS = 60_000;
const PENDING = "1  applied  keys and their lists\n2  pending  lists by status\n";
const FIXTURE = new URL("../fixtures/format-1/data.mdb", import.meta.url);

const parent = mkdtempSync(join(tmpdir(), "latchkey-older-"));
afterAll(() => rmSync(parent, { recursive: true }));

let dataDir: string;
let env: Readonly<Record<string, string>>;
beforeEach(() => {
  dataDir = mkdtempSync(join(parent, "data-"));
  mkdirSync(join(dataDir, "store"), { mode: PRIVATE_DIRECTORY_MODE });
  copyFileSync(FIXTURE, join(dataDir, "store", "data.mdb"));
  // Port 0 is nobody's, so that the command line works on the store itself.
  env = { ...fixtureSettings(), LATCHKEY_DATA_DIR: dataDir };
});

const isAsItWas = (directory: string) => readFileSync(join(directory, "data.mdb")).equals(readFileSync(FIXTURE));

test.each([[["export", "-"]], [["keys", "list"]], [["keys", "issue", "demo", "--actor", "me"]]])(
  "latchkey %j refuses it, and leaves it as it is",
  async (words) => {
    expect(await runLatchkey(words, env)).toEqual({
      code: 1,
      stdout: "",
      stderr: `latchkey: the store directory ${join(dataDir, "store")} cannot be opened: it has format 1, this release needs format 2: stop the services of the release before, then run "latchkey migrate up"\n`,
    });
    expect(isAsItWas(join(dataDir, "store"))).toBe(true);
  },
  TIMEOUT_MS,
);

test(
  "latchkey backup copies it as it is, and migrate brings it up to date",
  async () => {
    const copy = join(dataDir, "copy");
    expect(await runLatchkey(["backup", copy], env)).toMatchObject({ code: 0 });
    expect(isAsItWas(join(dataDir, "store"))).toBe(true);
    expect(await runLatchkey(["migrate", "status"], env)).toEqual({ code: 0, stdout: PENDING, stderr: "" });
    expect(isAsItWas(join(dataDir, "store"))).toBe(true);
    expect(await runLatchkey(["migrate", "up"], env)).toMatchObject({
      code: 0,
      stdout: "2  applied  lists by status\n",
    });
    expect(await runLatchkey(["migrate", "up"], env)).toMatchObject({ code: 0, stdout: "up to date\n" });

    const keys: FixtureKeys = JSON.parse(readFileSync(new URL("embedded.json", FIXTURE), "utf8"));
    const count = keys.issued.length + keys.imported.length;
    const exported = await runLatchkey(["export", join(dataDir, "keys.jsonl")], env);
    expect(exported).toEqual({ code: 0, stdout: "", stderr: `exported ${count} keys\n` });

    const copied = { ...env, LATCHKEY_DATA_DIR: join(dataDir, "copied") };
    mkdirSync(join(dataDir, "copied", "store"), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    copyFileSync(join(copy, "data.mdb"), join(dataDir, "copied", "store", "data.mdb"));
    expect(await runLatchkey(["migrate", "status"], copied)).toEqual({ code: 0, stdout: PENDING, stderr: "" });
  },
  TIMEOUT_MS,
);
