import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { chmod, chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";

const NOBODY = 65_534;
const WATCH_LIMIT_MS = 10_000;
const WHOLE_SECRET = /^[\w-]{43}\n$/;
const loader = new URL("../ts-loader.mjs", import.meta.url).href;
const script = fileURLToPath(new URL("load-secrets-child.ts", import.meta.url));

const root = mkdtempSync(join(tmpdir(), "latchkey-start-"));
afterAll(() => rmSync(root, { recursive: true }));

function start(directories: string[], user: { uid?: number; gid?: number } = {}): ChildProcess {
  return spawn(process.execPath, ["--import", loader, script, ...directories], {
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
  });
}

async function linesOf(child: ChildProcess): Promise<string[]> {
  if (child.stdout === null || child.stderr === null) throw new Error("no pipes");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (err !== "") throw new Error(err);
  return out.trimEnd().split("\n");
}

/** Looks at a file without a pause until it is there, and answers what it held at that moment. */
function watch(file: string): string {
  const giveUp = Date.now() + WATCH_LIMIT_MS;
  while (Date.now() < giveUp) {
    if (existsSync(file)) return readFileSync(file, "utf8");
  }
  throw new Error(`${file} did not appear`);
}

test("processes that start together agree on every secret", async () => {
  const directories = Array.from({ length: 40 }, (_, index) => join(root, "together", String(index)));
  const answers = await Promise.all(Array.from({ length: 6 }, () => linesOf(start(directories))));
  expect(answers[0]).toHaveLength(directories.length);
  expect(new Set(answers[0]).size).toBe(directories.length);
  for (const lines of answers) {
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
    expect(lines).toEqual(answers[0]);
  }
  for (const directory of directories) {
    expect(readdirSync(join(directory, "secrets")).sort()).toEqual([
      "admin-token",
      "hmac",
      "pepper",
      "signing-jwks.json",
    ]);
  }
});

test("nobody ever sees a part of a secret, so that a crash at any moment leaves none", async () => {
  const directories = Array.from({ length: 200 }, (_, index) => join(root, "watched", String(index)));
  const child = start(directories);
  const lines = linesOf(child);
  const firstSeen = directories.map((directory) => watch(join(directory, "secrets", "hmac")));
  expect(firstSeen.filter((content) => !WHOLE_SECRET.test(content))).toEqual([]);
  expect((await lines).filter((line) => line.startsWith("error"))).toEqual([]);
});

test("a start after a kill finds whole secrets or makes new ones", async () => {
  for (const round of [0, 1, 2]) {
    const directories = Array.from({ length: 2_000 }, (_, index) => join(root, `killed-${round}`, String(index)));
    const child = start(directories);
    const closed = once(child, "close");
    if (child.stdout === null) throw new Error("no pipe");
    await Promise.race([once(child.stdout, "data"), closed]);
    await new Promise((resolve) => setTimeout(resolve, 10 + 17 * round));
    child.kill("SIGKILL");
    await closed;
    const made = directories.filter((directory) => existsSync(directory));
    expect(made.length).toBeLessThan(directories.length);
    const after = await linesOf(start(made.slice(-3)));
    expect(after.filter((line) => line.startsWith("error"))).toEqual([]);
  }
});

test("a data directory that cannot be written is named", async () => {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) await chown(root, NOBODY, NOBODY);
  const dataDir = join(root, "read-only");
  const [made] = await linesOf(start([dataDir], user));
  rmSync(join(dataDir, "secrets", "pepper"));
  await chmod(join(dataDir, "secrets"), 0o500);
  const refused = await linesOf(start([dataDir, join(dataDir, "secrets", "deeper")], user));
  await chmod(join(dataDir, "secrets"), 0o700);
  const denied = "this user may not do that (EACCES)";
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect(refused).toEqual([
    `error: ${join(dataDir, "secrets", "pepper")}: creating the secret failed: ${denied}`,
    `error: ${join(dataDir, "secrets", "deeper", "secrets")}: making the directory failed: ${denied}`,
  ]);
});
