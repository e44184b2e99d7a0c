import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../e2e/eventually.js";
import { hasScript } from "../is-installed.js";
import { TOOLS_REQUIRED } from "../tools-required.js";
import { latchkeyWords, runLatchkey } from "./run-latchkey.js";

const canRun = hasScript() || TOOLS_REQUIRED;
const testTerminal = canRun ? test : test.skip;
const skipped = canRun ? "" : ", skipped: put script (util-linux) on the PATH to run it";

const directory = mkdtempSync(join(tmpdir(), "latchkey-terminal-"));
const settings = { LATCHKEY_SERVER_PORT: "1" };
let secret = "";
beforeAll(async () => {
  const { out } = await runLatchkey(["keys", "issue", "demo", "--actor", "me", "--format", "json"], {
    cwd: directory,
    env: settings,
  });
  secret = JSON.parse(out).secret;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Typing {
  /** Sent when `after` is there. */
  readonly text: string;
  readonly after: string;
}

/** Runs `latchkey` at a terminal; answers all that is seen there, and the exit code. */
async function runAtTerminal(words: readonly string[], env: Readonly<Record<string, string>>, typing?: Typing) {
  const command = latchkeyWords(words).map(quote).join(" ");
  const { PATH = "" } = process.env;
  const child = spawn(
    "script",
    ["--quiet", "--return", "--flush", "--command", command, join(directory, "typescript")],
    {
      cwd: directory,
      env: { PATH, TERM: "xterm", SHELL: "/bin/sh", ...settings, ...env },
      stdio: "pipe",
    },
  );
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen += text;
  });
  const closed = once(child, "close");
  if (typing !== undefined) {
    await eventually("the prompt", () => seen.includes(typing.after) || undefined);
    child.stdin.write(typing.text);
  }
  const [code] = (await closed) as [number | null];
  return { code, seen: seen.replaceAll("\r\n", "\n") };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

const NOTICE = `latchkey: no service listens at http://127.0.0.1:1: using the store itself (embedded, in data/store)\n`;

testTerminal(`a terminal has colours, and is told what is used${skipped}`, async () => {
  const { code, seen } = await runAtTerminal(["keys", "list"], {});
  expect(code).toBe(0);
  expect(seen.startsWith(NOTICE)).toBe(true);
  expect(seen).toContain("\u001b[1mkey_id\u001b[22m");
  expect(seen).toContain("\u001b[32mACTIVE\u001b[39m");
});

testTerminal.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])(`not with %j${skipped}`, async (env) => {
  const { seen } = await runAtTerminal(["keys", "list"], env);
  expect(seen).toContain("ACTIVE");
  expect(seen).not.toContain("\u001b[");
});

test("a pipe has neither", async () => {
  const { code, out, err } = await runLatchkey(["keys", "list"], {
    cwd: directory,
    env: { ...settings, TERM: "xterm" },
  });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("ACTIVE");
  expect(out).not.toContain("\u001b");
});

testTerminal(`a credential is asked for, and not shown${skipped}`, async () => {
  const after = "Credential (not shown): ";
  const { code, seen } = await runAtTerminal(["keys", "verify"], { NO_COLOR: "1" }, { text: `${secret}\r`, after });
  expect(code).toBe(0);
  expect(seen).toMatch(/is_valid +true\n/);
  expect(seen).not.toContain(secret.slice(0, 12));
});

testTerminal(`Ctrl+C at the prompt gives up${skipped}`, async () => {
  const after = "Credential (not shown): ";
  const { code, seen } = await runAtTerminal(["keys", "verify"], {}, { text: "\u0003", after });
  expect({ code, seen }).toEqual({ code: 1, seen: `${after}\nlatchkey: no credential was given\n` });
});
