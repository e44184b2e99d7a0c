import { create, type DescMessage, type JsonObject } from "@bufbuild/protobuf";
import {
  DurationSchema,
  FieldMaskSchema,
  isWrapperDesc,
  type ListValue,
  ListValueSchema,
  NullValue,
  type Struct,
  StructSchema,
  TimestampSchema,
  type Value,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { type DecodeState, isJsonObject, isWellFormed, type ValueDecoder } from "./decode-state.js";
import { parseDuration } from "./duration.js";
import { compileScalarDecoder } from "./json-scalars.js";
import { parseTimestamp } from "./timestamp.js";

/**
 * The decoder of a message type that has a JSON form of its own; undefined for all the others, of which
 * `google.protobuf.Empty` is one. `google.protobuf.Any` needs a registry of types, and is refused at start-up.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
export function compileWellKnownDecoder(desc: DescMessage): ValueDecoder | undefined {
  if (isWrapperDesc(desc)) return compileWrapperDecoder(desc);
  if (desc.typeName === "google.protobuf.Any") throw new Error("google.protobuf.Any cannot be used over REST");
  return decoders.get(desc.typeName);
}

const decoders: ReadonlyMap<string, ValueDecoder> = new Map<string, ValueDecoder>([
  ["google.protobuf.Timestamp", decodeTimestamp],
  ["google.protobuf.Duration", decodeDuration],
  ["google.protobuf.FieldMask", decodeFieldMask],
  [
    "google.protobuf.Struct",
    (json, state) => {
      const object = decodeJsonObject(json, state);
      return object && structFromJson(object as JsonObject);
    },
  ],
  [
    "google.protobuf.ListValue",
    (json, state) => {
      if (!Array.isArray(json)) return state.reportType("an array", json);
      return checkPlainJson(json, state) ? listFromJson(json) : undefined;
    },
  ],
  ["google.protobuf.Value", (json, state) => (checkPlainJson(json, state) ? valueFromJson(json) : undefined)],
]);

/**
 * Decodes a Struct field, which protobuf-es holds as the JSON object itself. The object is checked and handed on, not
 * copied: a copy made by assignment would lose a key named `__proto__`, and change the copy's prototype.
 */
export function decodeJsonObject(json: unknown, state: DecodeState): unknown {
  if (!isJsonObject(json)) return state.reportType("an object", json);
  return checkPlainJson(json, state) ? json : undefined;
}

/** Sets a key of a map or Struct, whatever its name. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}

function compileWrapperDecoder(desc: DescMessage): ValueDecoder {
  const field = desc.fields[0];
  if (field?.fieldKind !== "scalar") throw new Error(`${desc.typeName} is not a wrapper`);
  const decode = compileScalarDecoder(field.scalar, field.longAsString);
  return (json, state) => {
    const value = decode(json, state);
    return value === undefined ? undefined : Object.assign(create(desc), { value });
  };
}

function decodeTimestamp(json: unknown, state: DecodeState): unknown {
  const expected = "an RFC 3339 timestamp such as 2030-01-31T12:00:00Z";
  if (typeof json !== "string") return state.reportType(expected, json);
  const parts = parseTimestamp(json);
  return parts ? create(TimestampSchema, parts) : state.report(`expected ${expected}, got another string`);
}

function decodeDuration(json: unknown, state: DecodeState): unknown {
  if (typeof json !== "string") return state.reportType("a duration string", json);
  const parsed = parseDuration(json);
  return "error" in parsed ? state.report(parsed.error) : create(DurationSchema, parsed.value);
}

/** Only the list is taken apart here. Which paths make sense, and what they look like, is for the mask's reader to say. */
function decodeFieldMask(json: unknown, state: DecodeState): unknown {
  if (typeof json !== "string") return state.reportType("a string of comma-separated field names", json);
  if (!isWellFormed(json)) return state.report("expected well-formed Unicode, got a lone surrogate");
  const paths = json === "" ? [] : json.split(",");
  if (paths.includes("")) return state.report("expected comma-separated field names, got an empty one");
  return create(FieldMaskSchema, { paths: paths.map(snakeCaseFromCamelCase) });
}

/** A map key in backquotes (AIP-161) keeps its letters. */
function snakeCaseFromCamelCase(path: string): string {
  return path.includes("`") ? path : path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Whether a Struct can hold it. Mistakes are reported for the whole, as its keys are the caller's own. */
function checkPlainJson(json: unknown, state: DecodeState): boolean {
  switch (typeof json) {
    case "string":
      if (isWellFormed(json)) return true;
      state.report("expected well-formed Unicode, got a lone surrogate");
      return false;
    case "number":
      // Only what JSON.parse makes of 1e999.
      if (Number.isFinite(json)) return true;
      state.report("expected finite numbers, got one out of range");
      return false;
    case "boolean":
      return true;
    case "object": {
      if (json === null) return true;
      if (!state.descend()) return false;
      const isPlain = Array.isArray(json)
        ? json.every((item) => checkPlainJson(item, state))
        : Object.entries(json).every(([key, value]) => checkPlainJson(key, state) && checkPlainJson(value, state));
      state.ascend();
      return isPlain;
    }
    default:
      state.reportType("JSON", json);
      return false;
  }
}

function valueFromJson(json: unknown): Value {
  const value = create(ValueSchema);
  if (typeof json === "string") value.kind = { case: "stringValue", value: json };
  else if (typeof json === "number") value.kind = { case: "numberValue", value: json };
  else if (typeof json === "boolean") value.kind = { case: "boolValue", value: json };
  else if (Array.isArray(json)) value.kind = { case: "listValue", value: listFromJson(json) };
  else if (isJsonObject(json)) value.kind = { case: "structValue", value: structFromJson(json) };
  else value.kind = { case: "nullValue", value: NullValue.NULL_VALUE };
  return value;
}

function listFromJson(json: readonly unknown[]): ListValue {
  return create(ListValueSchema, { values: json.map(valueFromJson) });
}

function structFromJson(json: Readonly<Record<string, unknown>>): Struct {
  const struct = create(StructSchema);
  for (const [key, value] of Object.entries(json)) setOwn(struct.fields, key, valueFromJson(value));
  return struct;
}
