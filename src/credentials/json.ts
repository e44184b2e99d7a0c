/** JSON (RFC 8259) as `JSON.parse` reads it: of members with the same name the last one counts. */

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that `bytes` are in UTF-8; `undefined` when they are none. A byte order mark is a character like any other. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined; // decode throws for bytes that are not UTF-8, and for nothing else
  }
}

/** Reads JSON, maybe of bytes that were no text; `undefined` when it is none. Never throws. */
export function parseJson(text: string | undefined): JsonValue | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined; // JSON.parse throws for text that is not JSON, and for nothing else
  }
}

export function isJsonObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isTextList(json: JsonValue | undefined): json is readonly string[] {
  return Array.isArray(json) && json.every((item) => typeof item === "string");
}
