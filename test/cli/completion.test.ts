import { spawnSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { formatCompletion } from "../../src/cli/commands/completion-scripts.js";
import { isInstalled } from "../is-installed.js";
import { TOOLS_REQUIRED } from "../tools-required.js";
import { createIdleProgram } from "./idle-program.js";
import { runLatchkey } from "./run-latchkey.js";

const program = createIdleProgram();

/** What bash offers after these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const script = `${formatCompletion(program, "bash")}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _latchkey; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", "latchkey", ...words], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

const runsBash = isInstalled("bash") || TOOLS_REQUIRED;

(runsBash ? describe : describe.skip)(`bash${runsBash ? "" : ", skipped: it is not installed"}`, () => {
  test.each([
    [["he"], ["health"]],
    [["keys", "re"], ["revoke"]],
    [
      ["keys", "issue", "demo", "--format", ""],
      ["table", "json", "yaml"],
    ],
    [["keys", "issue", "demo", "--format", "j"], ["json"]],
    [
      ["keys", "list", "--page-"],
      ["--page-size", "--page-token"],
    ],
    [["keys", "list", "--page-size", ""], []],
    [["keys", "get", "some-id", "--end"], ["--endpoint"]],
    [["jwk", "generate", "e"], ["eddsa"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish", "--help"],
    ],
    [["serve", "--config", "package.js"], ["package.json"]],
    [["keys", "verify", "--credential-file", "package.js"], ["package.json"]],
  ])("%j", (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  test("every command at the start", () => {
    const commands = program.commands.map((command) => command.name());
    expect(offered("")).toEqual([...commands, "--version", "--help"]);
  });
});

test("zsh runs the script of bash by its own module for that", () => {
  const script = formatCompletion(program, "zsh");
  expect(script).toContain("bashcompinit\n");
  expect(script.endsWith(formatCompletion(program, "bash"))).toBe(true);
});

test("fish is told each command and option, with its text", () => {
  const lines = formatCompletion(program, "fish").split("\n");
  expect(lines).toContain(`complete -c latchkey -n '__latchkey_at "latchkey keys"' -a get -d 'show a key'`);
  expect(lines).toContain(
    `complete -c latchkey -n '__latchkey_at "latchkey keys list"' -l format -d 'how the answer is written' -x -a 'table json yaml'`,
  );
  expect(lines).toContain(
    `complete -c latchkey -n '__latchkey_at "latchkey migrate"' -a up -d 'apply what is pending'`,
  );
  expect(lines.find((line) => line.includes("-l credential-file"))).toMatch(/ -r -F$/);
});

for (const shell of ["fish", "zsh"]) {
  const testShell = isInstalled(shell) ? test : test.skip;
  testShell(`${shell} reads its script${isInstalled(shell) ? "" : ", skipped: it is not installed"}`, () => {
    const { status, stderr } = spawnSync(shell, ["-n"], { input: formatCompletion(program, shell as "fish" | "zsh") });
    expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: "" });
  });
}

test("the command writes it", async () => {
  expect(await runLatchkey(["completion", "bash"])).toEqual({
    code: 0,
    out: formatCompletion(program, "bash"),
    err: "",
  });
});
