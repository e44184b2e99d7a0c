import type { JsonObject } from "@bufbuild/protobuf";
import type { CommandContext } from "../program.js";
import { cellsOf } from "./answer-cells.js";
import type { Format } from "./options.js";
import { createStyle, type Style } from "./style.js";
import { formatFields } from "./table.js";

/** What people get to see of an answer. */
export type FormatAnswer = (json: JsonObject, style: Style) => string;

const JSON_INDENT = 2;

/** Writes an answer as the option says: the API's JSON, the same as YAML, or what `table` makes of it. */
export async function writeAnswer(
  context: CommandContext,
  format: Format,
  json: JsonObject,
  table: FormatAnswer = formatObject,
): Promise<void> {
  context.stdout.write(format === "table" ? table(json, createStyle(context)) : await formatJson(format, json));
}

/** A table of one thing: its fields. */
export function formatObject(json: JsonObject, style: Style): string {
  return formatFields(cellsOf(json), style);
}

async function formatJson(format: "json" | "yaml", json: JsonObject): Promise<string> {
  if (format === "json") return `${JSON.stringify(json, undefined, JSON_INDENT)}\n`;
  const { stringify } = await import("yaml");
  return stringify(json, { lineWidth: 0 });
}
