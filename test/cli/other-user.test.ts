import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { runLatchkey } from "./run-latchkey.js";

const OWNER_UID = 65_534;
const TIMEOUT_MS = 60_000;
const env = { LATCHKEY_SERVER_PORT: "1" };

const isRoot = process.getuid?.() === 0;

const COMMANDS: readonly (readonly [place: string, ...words: string[]])[] = [
  ["data/store", "keys", "list"],
  ["data/store", "serve"],
  ["data/store", "serve", "--workers", "2"],
  ["data/store", "export", "more.jsonl"],
  ["data/store", "restore", "keys.jsonl"],
  ["data/store", "backup", "copy"],
  ["data/secrets", "secrets", "rotate", "hmac"],
  ["data/secrets", "secrets", "forget", "signing-key"],
];

/** What there is, and whose it is. */
function ownersIn(directory: string): Record<string, number> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(names.map((name) => [name, statSync(join(directory, name)).uid]));
}

function refused(place: string) {
  const err = `latchkey: ${place}: belongs to the user with uid ${OWNER_UID}: run this as that user\n`;
  return { code: 1, out: "", err };
}

/** Root would leave files there that the service's own user cannot open. */
(isRoot ? describe : describe.skip)(
  `root on the data directory of another user${isRoot ? "" : ", skipped: run it as root"}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-owner-"));
    const dataDir = join(directory, "data");
    afterAll(() => rmSync(directory, { recursive: true }));

    beforeAll(async () => {
      for (const words of [
        ["keys", "issue", "demo", "--actor", "me"],
        ["export", "keys.jsonl"],
      ]) {
        expect((await runLatchkey(words, { env, cwd: directory })).code).toBe(0);
      }
      for (const name of ["", ...Object.keys(ownersIn(dataDir))]) chownSync(join(dataDir, name), OWNER_UID, OWNER_UID);
    }, TIMEOUT_MS);

    test.each(COMMANDS)(
      "%s: %s is refused, and leaves everything as it was (%#)",
      async (place, ...words) => {
        const before = ownersIn(directory);
        expect(await runLatchkey(words, { env, cwd: directory })).toEqual(refused(place));
        expect(ownersIn(directory)).toEqual(before);
      },
      TIMEOUT_MS,
    );

    test.each(["keys list", "serve"])("%s where there is no store yet", async (command) => {
      const fresh = join(directory, "fresh");
      mkdirSync(fresh, { recursive: true });
      chownSync(fresh, OWNER_UID, OWNER_UID);
      const settings = { ...env, LATCHKEY_DATA_DIR: fresh };
      expect(await runLatchkey(command.split(" "), { env: settings })).toEqual(refused(fresh));
      expect(ownersIn(fresh)).toEqual({});
    });
  },
);
