import type { JsonObject } from "@bufbuild/protobuf";
import type { CommandContext } from "../program.js";
import { isShowable, showableJson } from "../showable.js";
import { cellsOf } from "./answer-cells.js";
import type { Format } from "./options.js";
import { createStyle, type Style } from "./style.js";
import { formatFields } from "./table.js";

/** What people get to see of an answer. */
export type FormatAnswer = (json: JsonObject, style: Style) => string;

const JSON_INDENT = 2;

/**
 * Writes an answer as the option says: the API's JSON, the same as YAML, or what `table` makes of it. Resolves to whether it could
 * be written, which matters to whoever cannot ask again.
 */
export async function writeAnswer(
  context: CommandContext,
  format: Format,
  json: JsonObject,
  table: FormatAnswer = formatObject,
): Promise<boolean> {
  const text = format === "table" ? table(json, createStyle(context)) : await formatJson(format, json);
  return new Promise((resolve) => {
    context.stdout.write(text, (error) => resolve(error === undefined || error === null));
  });
}

/** A table of one thing: its fields. */
export function formatObject(json: JsonObject, style: Style): string {
  return formatFields(cellsOf(json), style);
}

async function formatJson(format: "json" | "yaml", json: JsonObject): Promise<string> {
  if (format === "json") return showableJson(`${JSON.stringify(json, undefined, JSON_INDENT)}\n`);
  const { Document, Scalar, visit } = await import("yaml");
  const document = new Document(json);
  visit(document, {
    Scalar: (_key, scalar) => {
      // Escapes are for double quotes only.
      if (typeof scalar.value === "string" && !isShowable(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return showableJson(document.toString({ lineWidth: 0 }));
}
