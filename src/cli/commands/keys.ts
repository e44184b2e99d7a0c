import type { Command } from "commander";
import type { CommandContext } from "../program.js";
import { addImportFileCommand } from "./import-file.js";
import { addListCommand } from "./list-keys.js";
import { addManageCommands } from "./manage-keys.js";
import { addPresentCommands } from "./present-credential.js";

export function addKeysCommands(program: Command, context: CommandContext): void {
  const keys = program.command("keys").description("issue, look at, change and verify keys");
  addManageCommands(keys, context);
  addImportFileCommand(keys, context);
  addListCommand(keys, context);
  addPresentCommands(keys, context);
}
