/**
 * ProtoJSON <-> what proto-loader's messages look like, for the messages of this API. Written from the API's documents,
 * and not from the descriptors: it is a second opinion on what the fields are.
 */
import type { Json, JsonObject } from "./api-client.js";

const DURATIONS = new Set(["ttl", "grace_period", "window"]);
const STRUCTS = new Set(["metadata", "custom_claims", "claims"]);
/** Lists of JWKs, each a Struct. */
const STRUCT_LISTS = new Set(["keys"]);
const TIMESTAMP = /_time$/;
/** Optional in the protos: absent when not set, whatever proto-loader thinks their default is. */
const OPTIONAL = new Set(["rate_limit_remaining"]);

type Plain = Readonly<Record<string, unknown>>;

/** A request's ProtoJSON as proto-loader takes it. */
export function requestFromJson(json: JsonObject): Plain {
  return mapValues(json, (name, value) => {
    if (DURATIONS.has(name)) return durationFromJson(String(value));
    if (STRUCTS.has(name)) return structFromJson(value as JsonObject);
    if (TIMESTAMP.test(name)) return timestampFromJson(String(value));
    if (name === "update_mask") return { paths: value === "" ? [] : String(value).split(",") };
    if (Array.isArray(value)) return value.map((item) => (isObject(item) ? requestFromJson(item) : item));
    return isObject(value) ? requestFromJson(value as JsonObject) : value;
  });
}

/** What proto-loader answers (64-bit integers and enums as text, with defaults) as ProtoJSON. */
export function jsonFromResponse(message: Plain): JsonObject {
  const present = Object.entries(message).filter(
    ([name, value]) => value !== null && !OPTIONAL.has(name) && !name.startsWith("_"),
  );
  return mapValues(Object.fromEntries(present), (name, value): Json => {
    if (DURATIONS.has(name)) return durationToJson(value as WireDuration);
    if (STRUCTS.has(name)) return structToJson(value as WireStruct);
    if (STRUCT_LISTS.has(name)) return (value as readonly WireStruct[]).map(structToJson);
    if (TIMESTAMP.test(name)) return timestampToJson(value as WireDuration);
    if (Array.isArray(value)) return value.map((item) => (isObject(item) ? jsonFromResponse(item) : (item as Json)));
    return isObject(value) ? jsonFromResponse(value) : (value as Json);
  }) as JsonObject;
}

interface WireDuration {
  readonly seconds: string;
  readonly nanos: number;
}

/** proto-loader has no maps: an entry is a message, as on the wire. */
interface WireStruct {
  readonly fields?: readonly { readonly key: string; readonly value: WireValue }[];
}

interface WireValue {
  readonly kind?: string;
  readonly string_value?: string;
  readonly number_value?: number;
  readonly bool_value?: boolean;
  readonly struct_value?: WireStruct;
  readonly list_value?: { readonly values?: readonly WireValue[] };
}

function durationFromJson(text: string): WireDuration {
  const [, sign = "", seconds = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(text) ?? [];
  return { seconds: sign + seconds, nanos: Number(`${sign}${fraction.padEnd(9, "0")}`) };
}

function durationToJson({ seconds, nanos }: WireDuration): string {
  return `${seconds}${decimals(nanos)}s`;
}

function timestampFromJson(text: string): WireDuration {
  const ms = Date.parse(text);
  return { seconds: String(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

function timestampToJson({ seconds, nanos }: WireDuration): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${decimals(nanos)}Z`;
}

function decimals(nanos: number): string {
  return nanos === 0 ? "" : `.${String(nanos / 1_000_000).padStart(3, "0")}`;
}

function structFromJson(json: JsonObject): Plain {
  return { fields: Object.entries(json).map(([key, value]) => ({ key, value: valueFromJson(value) })) };
}

function valueFromJson(json: Json): Plain {
  if (json === null) return { null_value: "NULL_VALUE" };
  if (typeof json === "string") return { string_value: json };
  if (typeof json === "number") return { number_value: json };
  if (typeof json === "boolean") return { bool_value: json };
  if (Array.isArray(json)) return { list_value: { values: json.map(valueFromJson) } };
  return { struct_value: structFromJson(json as JsonObject) };
}

function structToJson({ fields = [] }: WireStruct): JsonObject {
  return Object.fromEntries(fields.map(({ key, value }) => [key, valueToJson(value)]));
}

function valueToJson(value: WireValue): Json {
  switch (value.kind) {
    case "string_value":
      return value.string_value ?? "";
    case "number_value":
      return value.number_value ?? 0;
    case "bool_value":
      return value.bool_value ?? false;
    case "struct_value":
      return structToJson(value.struct_value ?? {});
    case "list_value":
      return (value.list_value?.values ?? []).map(valueToJson);
    default:
      return null;
  }
}

function isObject(value: unknown): value is Plain & JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapValues<V, W>(
  object: Readonly<Record<string, V>>,
  change: (name: string, value: V) => W,
): Record<string, W> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(name, value)]));
}
