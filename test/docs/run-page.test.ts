/** What becomes of pages that are wrong: each has to be seen. */
import { describe, expect, test } from "@jest/globals";
import { isInstalled } from "../is-installed.js";
import { readBlocks } from "./page-blocks.js";
import { possibleSteps, readSteps } from "./page-steps.js";
import { runPage } from "./run-page.js";

const FENCE = "```";
const END_TIMEOUT_MS = 500;
const hasBash = isInstalled("bash");

function page(...blocks: readonly (readonly [language: string, text: string])[]): string {
  return ["# Title", ...blocks.map(([language, text]) => `${FENCE}${language}\n${text}\n${FENCE}`), ""].join("\n\n");
}

(hasBash ? describe : describe.skip)(`a page${hasBash ? "" : ", skipped: there is no bash here"}`, () => {
  test("whose output is as it is shown is right, in one shell, with its ports and stderr", async () => {
    const steps = readSteps(
      page(
        ["sh", "A=1; export PORT=4420; echo unseen >&2"],
        ["sh", 'echo "{\\"a\\": $A}"; echo unseen >&2'],
        ["json", '{ "a": 1 }'],
        ["sh", '[ "$PORT" = "$LATCHKEY_SERVER_PORT" ] && [ "$PORT" != 4421 ]; echo seen >&2'],
        ["text", "seen"],
      ),
    );
    expect(await runPage(steps)).toEqual(steps);
  });

  test.each([
    { about: "another value", shown: ["json", '{ "a": 2 }'] as const },
    { about: "another line", shown: ["text", "a"] as const },
  ])("that shows $about is wrong", async ({ shown }) => {
    const steps = readSteps(page(["sh", `echo '{ "a": 1 }'`], shown));
    expect(await runPage(steps)).not.toEqual(steps);
  });

  test("with a step that fails is wrong, and the step is named", async () => {
    const steps = readSteps(page(["sh", "echo one"], ["sh", "echo two\n(exit 7)\necho three"]));
    await expect(runPage(steps)).rejects.toThrow(
      "the shell ended with code 7 at:\necho two\n(exit 7)\necho three\n\nstdout:\ntwo\n",
    );
  });

  test("that leaves something running is wrong, and it is ended", async () => {
    const steps = readSteps(page(["sh", "sleep 1000 & echo $!"]));
    await expect(runPage(steps, { endTimeoutMs: END_TIMEOUT_MS })).rejects.toThrow(
      "the shell waited too long for:\nwhat was started to end",
    );
  });
});

describe("what is no step", () => {
  test.each([
    { about: "an output of nothing", markdown: page(["json", "{}"]) },
    { about: "a second output", markdown: page(["sh", "true"], ["text", "a"], ["text", "b"]) },
    { about: "a block without a language", markdown: page(["sh", "true"], ["", "a"]) },
  ])("$about is refused", ({ markdown }) => {
    expect(() => readSteps(markdown)).toThrow("a stray block of");
  });

  test("a block that is not closed is refused", () => {
    expect(() => readSteps(`${FENCE}sh\ntrue\n`)).toThrow("a block is not closed:\ntrue");
  });

  test("an indented block is found, the text of a list is not", () => {
    const { indented, prose } = readBlocks("a\n\n    rm -rf x\n    y\n\n- item\n    goes on\n");
    expect(indented).toEqual(["rm -rf x", "y"]);
    expect(prose).toContain("goes on");
  });
});

test("what a step needs, its section needs and those below it, and no other", () => {
  const step = (script: string, ...path: string[]) => ({ script, path });
  const steps = [
    step("one", "T"),
    step("two", "T", "A"),
    step("needs x", "T", "A"),
    step("three", "T", "A", "B"),
    step("four", "T", "C"),
  ];
  const need = { reason: "there is no x", isNeeded: (script: string) => script.includes("x") };
  expect(possibleSteps(steps, [need])).toEqual({
    steps: [steps[0], steps[4]],
    leftOut: new Map([["A", "there is no x"]]),
  });
  expect(possibleSteps(steps, []).steps).toEqual(steps);
});
