import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import type { Command } from "commander";
import { createIdleProgram } from "./idle-program.js";

/**
 * What `--help` says of every command. After a change that is meant: run this test with
 * LATCHKEY_TEST_UPDATE_GOLDEN=true, and look at the difference.
 */
const GOLDEN = new URL("./golden/", import.meta.url);

const program = createIdleProgram();
const commands = commandsBelow(program, "");

function commandsBelow(
  command: Command,
  before: string,
): readonly { readonly name: string; readonly command: Command }[] {
  const name = `${before}${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((sub) => commandsBelow(sub, `${name}-`))];
}

test.each(commands)("$name --help", ({ name, command }) => {
  let help = "";
  command.configureOutput({ ...command.configureOutput(), writeOut: (text) => (help += text) }).outputHelp();
  const file = new URL(`${name}.txt`, GOLDEN);
  if (process.env.LATCHKEY_TEST_UPDATE_GOLDEN === "true") {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, help);
  }
  expect(help).toBe(readFileSync(file, "utf8"));
});

test("there is a text for each command, and no other", () => {
  expect(readdirSync(GOLDEN).sort()).toEqual(commands.map(({ name }) => `${name}.txt`).sort());
});
