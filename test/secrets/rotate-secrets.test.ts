import { createSecretKey } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { formatRetiredHmac, readRetiredHmac } from "../../src/secrets/hmac-files.js";
import { KeyRing } from "../../src/secrets/key-ring.js";
import { loadOrCreateSecrets, readHmac } from "../../src/secrets/load-or-create-secrets.js";
import { forgetHmac, rotateHmac } from "../../src/secrets/rotate-hmac.js";
import { forgetSigningKeys, rotateSigningKey } from "../../src/secrets/rotate-signing-key.js";
import { createSigningKeySet } from "../../src/secrets/signing-key-set.js";
import { parseSigningJwks } from "../../src/secrets/signing-keys.js";

const NONE = { hmac: { current: undefined, retired: [] }, pepper: undefined };
const PURPOSE = "latchkey/macaroon/v1";
const NOW_MS = 1_800_000_000_000;
const MODE = 0o777;
const ALL_BUT_NEWEST = Number.POSITIVE_INFINITY;

let dataDir: string;
let directory: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-rotate-"));
  directory = join(dataDir, "secrets");
  await loadOrCreateSecrets({ dataDir, configured: NONE, needsAdminToken: true });
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function content(name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

/** The ring at a moment, by where its keys are in `order`. */
async function ringAt(nowMs: number, order: readonly string[]): Promise<{ used: number; accepted: number[] }> {
  const keys = new KeyRing(await readHmac(directory, NONE.hmac), () => nowMs).derive(PURPOSE);
  const all = order.map((text) => Buffer.from(keyOf(text)).toString("hex"));
  const indexes = keys.all.map((key) => all.indexOf(Buffer.from(key).toString("hex")));
  return { used: indexes[0] ?? -1, accepted: indexes.sort() };
}

function keyOf(text: string): Uint8Array {
  const secret = { current: keyFrom(text), retired: [] };
  return new KeyRing(secret).derive(PURPOSE).current;
}

function keyFrom(text: string) {
  return createSecretKey(Buffer.from(text.trimEnd()));
}

/** The kids of the generated set in order, and the one that signs at a moment. */
function signingAt(nowMs: number): { kids: string[]; signing: string } {
  const keys = parseSigningJwks("SET", content("signing-jwks.json"));
  const set = createSigningKeySet([{ place: "SET", keys }], undefined, nowMs);
  return { kids: set.keys.map(({ kid }) => kid), signing: set.signing.kid };
}

describe("secrets.hmac", () => {
  test("has a new value that is accepted at once, and used from the time that was said", async () => {
    const first = content("hmac");
    await rotateHmac({ directory, usedFromMs: NOW_MS });
    const second = content("hmac");
    expect(second).toMatch(/^[\w-]{43}\n$/);
    expect(second).not.toBe(first);
    expect(JSON.parse(content("hmac-retired.json"))).toEqual([
      { secret: first.trimEnd(), used_until: "2027-01-15T08:00:00.000Z" },
    ]);
    expect(await ringAt(NOW_MS - 1, [first, second])).toEqual({ used: 0, accepted: [0, 1] });
    expect(await ringAt(NOW_MS, [first, second])).toEqual({ used: 1, accepted: [0, 1] });
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & MODE).toBe(0o600);
    expect(readdirSync(directory).sort()).toEqual([
      "admin-token",
      "hmac",
      "hmac-retired.json",
      "pepper",
      "signing-jwks.json",
    ]);
  });

  test("changes over in a ring that is in use, when the time has come", async () => {
    const first = content("hmac");
    await rotateHmac({ directory, usedFromMs: NOW_MS });
    let nowMs = NOW_MS - 1;
    const ring = new KeyRing(await readHmac(directory, NONE.hmac), () => nowMs);
    expect(ring.derive(PURPOSE).current).toEqual(keyOf(first));
    nowMs += 1;
    expect(ring.derive(PURPOSE).current).toEqual(keyOf(content("hmac")));
    expect(ring.derive(PURPOSE).all).toHaveLength(2);
    expect(ring.derive(PURPOSE)).toBe(ring.derive(PURPOSE));
  });

  test("may be rotated again while one waits: each has its turn", async () => {
    const texts = [content("hmac")];
    for (const usedFromMs of [NOW_MS, NOW_MS + 10]) {
      await rotateHmac({ directory, usedFromMs });
      texts.push(content("hmac"));
    }
    const used = async (nowMs: number) => (await ringAt(nowMs, texts)).used;
    expect([await used(NOW_MS - 1), await used(NOW_MS), await used(NOW_MS + 10)]).toEqual([0, 1, 2]);
  });

  test("may be rotated at once while one waits", async () => {
    const texts = [content("hmac")];
    for (const usedFromMs of [NOW_MS + 10, NOW_MS]) {
      await rotateHmac({ directory, usedFromMs });
      texts.push(content("hmac"));
    }
    expect(await ringAt(NOW_MS, texts)).toEqual({ used: 2, accepted: [0, 1, 2] });
    expect(await ringAt(NOW_MS + 10, texts)).toEqual({ used: 2, accepted: [0, 1, 2] });
  });

  test("is forgotten by age", async () => {
    const texts = [content("hmac")];
    for (const usedFromMs of [NOW_MS, NOW_MS + 10]) {
      await rotateHmac({ directory, usedFromMs });
      texts.push(content("hmac"));
    }
    expect(await forgetHmac({ directory, retiredBeforeMs: NOW_MS - 1 })).toEqual({
      forgotten: 0,
      keptUsedUntilMs: [NOW_MS + 10, NOW_MS],
    });
    expect(await forgetHmac({ directory, retiredBeforeMs: NOW_MS })).toEqual({
      forgotten: 1,
      keptUsedUntilMs: [NOW_MS + 10],
    });
    expect((await ringAt(NOW_MS + 5, texts)).accepted).toEqual([1, 2]);
  });

  test("is forgotten but for the newest, which is used at once", async () => {
    const first = content("hmac");
    await rotateHmac({ directory, usedFromMs: NOW_MS });
    expect(await forgetHmac({ directory, retiredBeforeMs: ALL_BUT_NEWEST })).toEqual({
      forgotten: 1,
      keptUsedUntilMs: [],
    });
    expect(await ringAt(NOW_MS - 1, [first, content("hmac")])).toEqual({ used: 1, accepted: [1] });
  });

  test("is whole after a crash between the two files, and can be rotated then", async () => {
    const first = content("hmac");
    const left = formatRetiredHmac([{ text: first.trimEnd(), usedUntilMs: NOW_MS }]);
    writeFileSync(join(directory, "hmac-retired.json"), left, { mode: 0o600 });
    expect(await ringAt(NOW_MS - 1, [first])).toEqual({ used: 0, accepted: [0] });
    await rotateHmac({ directory, usedFromMs: NOW_MS + 5 });
    expect(await readRetiredHmac(directory)).toEqual([{ text: first.trimEnd(), usedUntilMs: NOW_MS + 5 }]);
  });

  test.each([
    ["", "is damaged; restore it from a backup"],
    ["{}", "is damaged; restore it from a backup"],
    ["[null]", "is damaged; restore it from a backup"],
    ['[{"secret":"hunter2"}]', "is damaged; restore it from a backup"],
    [`[{"secret":"${"s".repeat(43)}","used_until":"soon"}]`, "is damaged; restore it from a backup"],
    [
      `[{"secret":"${"s".repeat(43)}","used_until":"2027-99-15T08:00:00.000Z"}]`,
      "is damaged; restore it from a backup",
    ],
    [
      '[{"secret":"hunter2","used_until":"2027-01-15T08:00:00.000Z"}]',
      "is too short: must have at least 32 characters; restore it from a backup",
    ],
  ])("with retired ones that are %j is refused by name, and stays", async (text, problem) => {
    const path = join(directory, "hmac-retired.json");
    writeFileSync(path, text, { mode: 0o600 });
    const before = content("hmac");
    await expect(readHmac(directory, NONE.hmac)).rejects.toThrow(
      expect.objectContaining({ name: "DataDirectoryError", message: `${path}: ${problem}` }),
    );
    await expect(rotateHmac({ directory, usedFromMs: NOW_MS })).rejects.toThrow(`${path}: ${problem}`);
    expect(content("hmac")).toBe(before);
    expect(existsSync(join(directory, "rotation.lock"))).toBe(false);
  });

  test("that is gone is not made anew when it is read again", async () => {
    const path = join(directory, "hmac");
    rmSync(path);
    await expect(readHmac(directory, NONE.hmac)).rejects.toThrow(`${path}: is gone; restore it from a backup`);
    await expect(rotateHmac({ directory, usedFromMs: NOW_MS })).rejects.toThrow(
      `${path}: is gone; restore it from a backup`,
    );
  });
});

describe("the generated signing key", () => {
  test("has a successor that is published at once, and signs from the time that was said", async () => {
    const { signing: first } = signingAt(0);
    await rotateSigningKey({ directory, usedFromMs: NOW_MS });
    const { kids, signing } = signingAt(NOW_MS - 1);
    expect([kids.length, kids[0], signing]).toEqual([2, first, first]);
    expect(signingAt(NOW_MS).signing).toBe(kids[1]);
    expect(statSync(join(directory, "signing-jwks.json")).mode & MODE).toBe(0o600);
  });

  test("may be rotated at once while another one waits, for good", async () => {
    await rotateSigningKey({ directory, usedFromMs: NOW_MS + 60_000 });
    await rotateSigningKey({ directory, usedFromMs: NOW_MS });
    const { kids } = signingAt(0);
    expect(signingAt(NOW_MS).signing).toBe(kids[2]);
    expect(signingAt(NOW_MS + 60_000).signing).toBe(kids[2]);
  });

  test("is forgotten by age", async () => {
    await rotateSigningKey({ directory, usedFromMs: NOW_MS });
    await rotateSigningKey({ directory, usedFromMs: NOW_MS + 10_000 });
    const { kids } = signingAt(0);
    expect(await forgetSigningKeys({ directory, retiredBeforeMs: NOW_MS - 1 })).toEqual({
      forgotten: 0,
      keptUsedUntilMs: [NOW_MS, NOW_MS + 10_000],
    });
    expect(await forgetSigningKeys({ directory, retiredBeforeMs: NOW_MS })).toEqual({
      forgotten: 1,
      keptUsedUntilMs: [NOW_MS + 10_000],
    });
    expect(signingAt(0).kids).toEqual(kids.slice(1));
  });

  test("is forgotten but for the newest, which signs at once", async () => {
    await rotateSigningKey({ directory, usedFromMs: NOW_MS });
    const { kids } = signingAt(0);
    await forgetSigningKeys({ directory, retiredBeforeMs: ALL_BUT_NEWEST });
    expect(signingAt(0)).toEqual({ kids: [kids[1]], signing: kids[1] });
  });

  test("is never forgotten when it is the only one", async () => {
    const before = content("signing-jwks.json");
    expect(await forgetSigningKeys({ directory, retiredBeforeMs: ALL_BUT_NEWEST })).toEqual({
      forgotten: 0,
      keptUsedUntilMs: [],
    });
    expect(content("signing-jwks.json")).toBe(before);
  });
});

describe.each([
  ["rotateHmac", "hmac", (folder: string) => rotateHmac({ directory: folder, usedFromMs: NOW_MS })],
  [
    "rotateSigningKey",
    "signing-jwks.json",
    (folder: string) => rotateSigningKey({ directory: folder, usedFromMs: NOW_MS }),
  ],
  ["forgetHmac", "hmac-retired.json", (folder: string) => forgetHmac({ directory: folder, retiredBeforeMs: NOW_MS })],
  [
    "forgetSigningKeys",
    "signing-jwks.json",
    (folder: string) => forgetSigningKeys({ directory: folder, retiredBeforeMs: NOW_MS }),
  ],
])("%s", (_name, file, change) => {
  test("waits for nobody: it is refused while another one is under way", async () => {
    const lock = join(directory, "rotation.lock");
    writeFileSync(lock, "");
    await expect(change(directory)).rejects.toThrow(
      `${lock}: is there: another command changes the secrets, or was killed while it did; remove it if none does`,
    );
    expect(existsSync(lock)).toBe(true);
    rmSync(lock);
    await change(directory);
    expect(existsSync(lock)).toBe(false);
  });

  test("is refused where its file is a symbolic link", async () => {
    await rotateHmac({ directory, usedFromMs: NOW_MS });
    const [link, target] = [join(directory, file), join(dataDir, "elsewhere")];
    renameSync(link, target);
    symlinkSync(target, link);
    const before = readFileSync(target, "utf8");
    await expect(change(directory)).rejects.toThrow(
      `${link}: is a symbolic link, which would be replaced: put the file itself in its place`,
    );
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe(before);
    expect(existsSync(join(directory, "rotation.lock"))).toBe(false);
  });

  test("is refused where no secrets are", async () => {
    const nowhere = join(dataDir, "nowhere");
    await expect(change(nowhere)).rejects.toThrow(`${nowhere}: is not there: no service has made secrets here`);
  });
});
