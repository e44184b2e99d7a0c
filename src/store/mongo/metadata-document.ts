/**
 * Metadata is a nested document, so that a filter on `metadata.<path>` can be compiled to a query on it. Its keys are the
 * user's own and may be anything JSON allows, so they are escaped: what `$`, `.`, NUL and the empty name would mean to the
 * server, and what `_bsontype` and `__proto__` would mean to the driver and to JavaScript.
 *
 *     key     = "%" / *( character / "%" two hex digits )    "%" alone stands for the empty key
 *     escaped = "%" "$" "." NUL, and "_" at the beginning
 *
 * Values deeper than a BSON document may nest (MongoDB: 100 levels) are kept as JSON text, under a name that is no escaped key.
 */
import type { JsonObject, JsonValue } from "../key-store.js";

const EMPTY_KEY = "%";
/** Not an escaped key: "%" is never followed by a "j" there. */
const JSON_TEXT = "%json";
/** Half of what MongoDB allows, since the metadata is not the outermost document. */
const MAX_DEPTH = 50;

/** The field name of a metadata key. */
export function escapeKey(key: string): string {
  if (key === "") return EMPTY_KEY;
  return key.replace(/[%$.\0]|^_/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(2, "0")}`;
  });
}

function unescapeKey(name: string): string {
  if (name === EMPTY_KEY) return "";
  return name.replace(/%([0-9A-F]{2})/g, (_match, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

export function documentFromMetadata(metadata: JsonObject): JsonObject {
  return encodeObject(metadata, 1);
}

export function metadataFromDocument(document: JsonObject): JsonObject {
  return decodeObject(document);
}

function encodeObject(object: JsonObject, depth: number): JsonObject {
  return mapObject(object, escapeKey, (value) => encodeValue(value, depth + 1));
}

function encodeValue(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return { [JSON_TEXT]: JSON.stringify(value) };
  return Array.isArray(value) ? value.map((item) => encodeValue(item, depth + 1)) : encodeObject(value, depth);
}

function decodeObject(document: JsonObject): JsonObject {
  return mapObject(document, unescapeKey, decodeValue);
}

function decodeValue(value: JsonValue): JsonValue {
  if (typeof value === "bigint") return Number(value); // a server may keep a whole number as an int64
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(decodeValue);
  const text = value[JSON_TEXT];
  return typeof text === "string" ? (JSON.parse(text) as JsonValue) : decodeObject(value);
}

/** `Object.fromEntries` defines fields, so that one named `__proto__` stays a field. */
function mapObject(
  object: JsonObject,
  mapKey: (key: string) => string,
  mapValue: (value: JsonValue) => JsonValue,
): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [mapKey(key), mapValue(value)]));
}
