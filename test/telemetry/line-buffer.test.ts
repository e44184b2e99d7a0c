/** The last lines of a process: with a real one, whose thread pool has something else to do when it ends. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Some tenths of a second. */
const ITERATIONS = 500_000;

function run(code: string) {
  const source = `
    import { pbkdf2 } from "node:crypto";
    import { LineBuffer } from "${ROOT}src/telemetry/line-buffer.ts";
    const keepPoolBusy = () => pbkdf2("a", "b", ${ITERATIONS}, 32, "sha256", () => undefined);
    ${code}`;
  const words = ["--import", `${ROOT}test/ts-loader.mjs`, "--input-type=module", "--eval", source];
  const env = { PATH: process.env.PATH ?? "", UV_THREADPOOL_SIZE: "1" };
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, words, { cwd: ROOT, env, encoding: "utf8" });
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
