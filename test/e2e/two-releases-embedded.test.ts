/** A data directory that the release before has written, or is writing still, and this one's commands on it. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createFixtureKeys, type FixtureKeys } from "../fixtures/fixture-keys.js";
import { ChildService } from "./child-service.js";
import { expectFixtureChanges, expectFixtureKeys } from "./expect-fixture-keys.js";
import { runLatchkey } from "./latchkey-process.js";
import { type UnpackedRelease, unpackReleaseBefore, VERSION_BEFORE } from "./release-before.js";

const TIMEOUT_MS = 120_000;

const parent = mkdtempSync(join(tmpdir(), "latchkey-releases-"));
const inParent = (...names: string[]) => join(parent, ...names);
const services: ChildService[] = [];
let before: UnpackedRelease;

beforeAll(() => {
  before = unpackReleaseBefore();
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  before.dispose();
  rmSync(parent, { recursive: true });
});

/** The secrets are those that the release before has generated. */
function settings(dataDir: string): Readonly<Record<string, string>> {
  return {
    LATCHKEY_DATA_DIR: dataDir,
    LATCHKEY_KEYS_PUBLIC_PREFIX: "pub",
    LATCHKEY_TOKENS_MAX_TTL: "315360000s",
  };
}

async function serve(dataDir: string, main?: string): Promise<{ service: ChildService; url: string; token: string }> {
  const service = new ChildService({ env: settings(dataDir), main });
  services.push(service);
  const url = await service.ready();
  return { service, url, token: readFileSync(join(dataDir, "secrets", "admin-token"), "utf8").trim() };
}

/** Has the release before make keys of every kind and state, and leaves it running. */
async function serveKeys(dataDir: string): Promise<{ old: ChildService; keys: FixtureKeys }> {
  const { service, url, token } = await serve(dataDir, before.main);
  return { old: service, keys: await createFixtureKeys(url, token) };
}

/** This release finds everything, and changes it as it changes its own. */
async function expectServed(dataDir: string, keys: FixtureKeys): Promise<void> {
  const { service, url, token } = await serve(dataDir);
  await expectFixtureKeys(url, token, keys);
  await expectFixtureChanges(url, token, keys);
  await service.stop();
}

test.each([
  ["was stopped", "SIGTERM", { code: 0, signal: null }],
  ["crashed", "SIGKILL", { code: null, signal: "SIGKILL" }],
] as const)(
  `everything is there after ${VERSION_BEFORE} %s`,
  async (name, signal, ended) => {
    const dataDir = inParent(name);
    const { old, keys } = await serveKeys(dataDir);
    old.kill(signal);
    expect(await old.ended).toEqual(ended);
    await expectServed(dataDir, keys);
  },
  TIMEOUT_MS,
);

test(
  `backup and export read what ${VERSION_BEFORE} serves meanwhile`,
  async () => {
    const { keys } = await serveKeys(inParent("served"));
    const env = settings(inParent("served"));
    const count = keys.issued.length + keys.imported.length;
    const [backedUp, restored] = [inParent("backed-up"), inParent("restored")];
    for (const dataDir of [backedUp, restored]) {
      cpSync(inParent("served", "secrets"), join(dataDir, "secrets"), { recursive: true });
    }

    expect(await runLatchkey(["backup", join(backedUp, "store")], env)).toMatchObject({ code: 0, stdout: "" });
    await expectServed(backedUp, keys);

    const file = inParent("keys.jsonl");
    expect(await runLatchkey(["export", file], env)).toEqual({
      code: 0,
      stdout: "",
      stderr: `exported ${count} keys\n`,
    });
    expect(await runLatchkey(["restore", file], settings(restored))).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`restored ${count} keys\n`),
    });
    await expectServed(restored, keys);
  },
  TIMEOUT_MS,
);
