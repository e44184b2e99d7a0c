import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ChildService } from "../e2e/child-service.js";
import { runLatchkey } from "./run-latchkey.js";

const directory = mkdtempSync(join(tmpdir(), "latchkey-variables-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a shell has set for the commands that call a service. */
const env = {
  LATCHKEY_ENDPOINT: "http://127.0.0.1:1",
  LATCHKEY_TOKEN: "a-token",
  LATCHKEY_DATA_DIR: join(directory, "data"),
};
const UNKNOWN = "LATCHKEY_ENDPIONT names no setting and is ignored";

/** Makes a store, with the same variables. */
beforeAll(async () => {
  const service = new ChildService({ env: { ...env, LATCHKEY_ENDPIONT: "x" } });
  await service.ready();
  await service.logged(UNKNOWN);
  expect(service.stdout.match(/names no setting/g)).toHaveLength(1);
  await service.stop();
}, 60_000);

describe("commands that read the configuration do not warn of the command line's own variables, but of a slip", () => {
  test.each([
    [["config", "check"]],
    [["migrate", "status"]],
    [["export", join(directory, "keys.jsonl")]],
    [["backup", join(directory, "copy")]],
    [["restore", join(directory, "keys.jsonl"), "--resume"]],
    [["secrets", "rotate", "hmac"]],
  ])("%j", async (words) => {
    const { code, err } = await runLatchkey(words, { env: { ...env, LATCHKEY_ENDPIONT: "x" } });
    expect(code).toBe(0);
    expect(err.split("\n").filter((line) => line.includes("warning"))).toEqual([`latchkey: warning: ${UNKNOWN}`]);
  });
});
