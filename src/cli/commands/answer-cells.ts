/** Fields of the API's answers as cells of a table. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Color } from "./style.js";
import type { Cell } from "./table.js";

/** Fields that hold an enum, and what their values begin with. */
const ENUM_PREFIXES: Readonly<Record<string, string>> = {
  status: "KEY_STATUS_",
  visibility: "KEY_VISIBILITY_",
  revocation_reason: "REVOCATION_REASON_",
  error_code: "VERIFICATION_ERROR_",
};
const UNSPECIFIED = "UNSPECIFIED";

const COLORS: Readonly<Record<string, Readonly<Record<string, Color>>>> = {
  status: { ACTIVE: "green", EXPIRED: "yellow", REVOKED: "red" },
  is_valid: { true: "green", false: "red" },
};

/** A field by its name in the API; empty when it says nothing. */
export function cellOf(json: JsonObject, name: string): Cell {
  const text = textOf(name, json[name]);
  return { text, color: COLORS[name]?.[text] };
}

/** Every field that says something, in the order of the API. */
export function cellsOf(json: JsonObject): readonly (readonly [string, Cell])[] {
  return Object.keys(json)
    .map((name) => [name, cellOf(json, name)] as const)
    .filter(([, { text }]) => text !== "");
}

function textOf(name: string, value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map((item) => textOf("", item)).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  const prefix = ENUM_PREFIXES[name];
  if (prefix === undefined || !text.startsWith(prefix)) return text;
  const short = text.slice(prefix.length);
  return short === UNSPECIFIED ? "" : short;
}
