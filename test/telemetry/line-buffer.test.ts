/** The lines of a real process: the last ones, when its thread pool has something else to do, and those that its output fails. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { eventually } from "../e2e/eventually.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Some tenths of a second. */
const ITERATIONS = 500_000;

/** As in the sources. */
const BATCH_DELAY_MS = 100;
const { PATH = "" } = process.env;
const SPAWN = { cwd: ROOT, env: { PATH, UV_THREADPOOL_SIZE: "1" } };

/** The words after `node` that run this code. */
function wordsFor(code: string): string[] {
  const source = `
    import { pbkdf2 } from "node:crypto";
    import { once } from "node:events";
    import { stat } from "node:fs";
    import { LineBuffer } from "${ROOT}src/telemetry/line-buffer.ts";
    const keepPoolBusy = () => pbkdf2("a", "b", ${ITERATIONS}, 32, "sha256", () => undefined);
    // A timer as long as the batch's comes after it, and so does what the only thread of the pool is given then.
    const batchIsTried = () => new Promise((resolve) => setTimeout(() => stat(".", resolve), ${BATCH_DELAY_MS}));
    ${code}`;
  return ["--import", `${ROOT}test/ts-loader.mjs`, "--input-type=module", "--eval", source];
}

function run(code: string) {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, wordsFor(code), {
    ...SPAWN,
    encoding: "utf8",
  });
  return { stdout, stderr, status, signal };
}

test("are written when it comes to its end", () => {
  const code = `
    process.on("exit", keepPoolBusy);
    new LineBuffer().write("the last line\\n");`;
  expect(run(code)).toEqual({ stdout: "the last line\n", stderr: "", status: 0, signal: null });
});

test("are written when it exits", () => {
  const code = `
    const lines = new LineBuffer();
    keepPoolBusy();
    lines.write("one\\n");
    lines.write("two\\n");
    process.exit(3);`;
  expect(run(code)).toEqual({ stdout: "one\ntwo\n", stderr: "", status: 3, signal: null });
});

test("are written before it kills itself", () => {
  const code = `
    const lines = new LineBuffer();
    keepPoolBusy();
    lines.write("fatal\\n");
    lines.flushSync();
    process.kill(process.pid, "SIGKILL");`;
  expect(run(code)).toEqual({ stdout: "fatal\n", stderr: "", status: null, signal: "SIGKILL" });
});

/** Writes a line for each one that it reads, and says on stderr that it has; then the last one, and ends. */
const ECHO = `
    const lines = new LineBuffer();
    for await (const text of process.stdin.setEncoding("utf8")) {
      lines.write(text);
      batchIsTried().then(() => process.stderr.write(text));
    }
    lines.write("last\\n");
    lines.flushSync();
    process.exit(7);`;

describe("an output that fails neither ends the process nor holds it up", () => {
  let directory: string;
  const file = () => join(directory, "log");
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "latchkey-lines-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Runs ECHO with this output. */
  function start(stdout: number | "pipe", program: readonly string[] = []) {
    const [command = "", ...words] = [...program, process.execPath, ...wordsFor(ECHO)];
    const child = spawn(command, words, { ...SPAWN, stdio: ["pipe", stdout, "pipe"] });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    return {
      stdout: child.stdout,
      async write(line: string): Promise<void> {
        child.stdin?.write(line);
        await eventually(`${line.length} characters to be handed on`, () => said.endsWith(line) || undefined);
      },
      async end(): Promise<{ code: number | null; said: string }> {
        child.stdin?.end();
        const [code] = (await once(child, "close")) as [number | null];
        return { code, said };
      },
    };
  }

  const hasFull = existsSync("/dev/full");
  (hasFull ? test : test.skip)(`a disk that is full${hasFull ? "" : ", skipped: there is no /dev/full"}`, async () => {
    const child = start(openSync("/dev/full", "w"));
    await child.write("one\n");
    await child.write("two\n");
    expect(await child.end()).toEqual({ code: 7, said: "one\ntwo\n" });
  });

  test("a reader that is gone", async () => {
    const child = start("pipe");
    child.stdout?.destroy();
    await child.write("one\n");
    await child.write("two\n");
    expect(await child.end()).toEqual({ code: 7, said: "one\ntwo\n" });
  });

  test("a disk that is full for a while: later lines are whole", async () => {
    // Of 512 bytes, or of 1,024 in some shells.
    const child = start(openSync(file(), "a"), ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh"]);
    await child.write("one\n");
    await child.write(`${"x".repeat(2_000)}\n`);
    await child.write("dropped\n");
    expect(readFileSync(file(), "utf8")).toMatch(/^one\nx{508,1020}$/);
    truncateSync(file(), 10);
    await child.write("two\n");
    expect(await child.end()).toEqual({ code: 7, said: expect.stringMatching(/two\n$/) });
    expect(readFileSync(file(), "utf8")).toBe("one\nxxxxxx\ntwo\nlast\n");
  });
});

describe("a reader that reads nothing", () => {
  /** Of 1,000 characters, and more than may wait. */
  const LINES = 80_000;
  const FILL = `
    process.stdout; // as in main.ts: a write to a pipe does not block from now on
    const lines = new LineBuffer();
    for (let i = 0; i < ${LINES}; i++) lines.write(String(i).padEnd(999, ".") + "\\n");
    await batchIsTried();
    process.stderr.write("full");`;

  let child: ChildProcessWithoutNullStreams;
  afterEach(() => void child.kill("SIGKILL"));

  function start(then: string): void {
    child = spawn(process.execPath, wordsFor(`${FILL}\n${then}`), { ...SPAWN, stdio: "pipe" });
  }

  test("costs so much memory and no more, and misses the lines after that", async () => {
    start('await once(process.stdin, "end");');
    await once(child.stderr, "data");
    const output = text(child.stdout);
    child.stdin.end();
    const got = (await output).split("\n").map((line) => line.replaceAll(".", ""));
    expect(got.pop()).toBe("");
    expect(got).toEqual(Array.from({ length: got.length }, (_, i) => String(i)));
    expect(got.length).toBeGreaterThan(67_000);
    expect(got.length).toBeLessThan(68_500);
  });

  test("does not keep the process from ending", async () => {
    start("process.exit(7);");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(7);
  });
});
