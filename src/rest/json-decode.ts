import { create, type DescField, type DescMessage, type DescOneof, type Message, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { DecodeState, isJsonObject, type PathPart, type ValueDecoder } from "./decode-state.js";
import { compileEnumDecoder, compileScalarDecoder } from "./json-scalars.js";
import { compileWellKnownDecoder, decodeJsonObject, setOwn } from "./json-well-known.js";

/** Message types compiled so far: a type may hold itself. */
export type DecoderCache = Map<DescMessage, ValueDecoder>;

const valueTypeName = "google.protobuf.Value";

interface JsonField {
  readonly desc: DescField;
  readonly decode: ValueDecoder;
  readonly acceptsNull: boolean;
  /** The other name that the field may go by, for the entry of the second name. */
  readonly firstName: string | undefined;
}

/**
 * Compiles a decoder of ProtoJSON, as DESIGN.md section 2 has it: both cases of names, unknown fields and enum values
 * refused, longer durations. It does in one pass what protobuf-es' `fromJson` does by reflection for each field.
 *
 * The decoder takes what JSON.parse answers, and the field that the message is for, if it is not the whole request.
 * Struct fields share their objects with the input.
 *
 * @see https://protobuf.dev/programming-guides/json/
 * @throws ServiceError (the decoder) INVALID_ARGUMENT with up to ten mistakes, each with its path
 */
export function compileJsonDecoder(desc: DescMessage): (json: unknown, path?: readonly PathPart[]) => Message {
  const decode = compileMessageDecoder(desc, new Map());
  return (json, path) => {
    const state = new DecodeState(path);
    const message = decode(json, state);
    state.finish();
    return message as Message;
  };
}

/** Compiles the decoder of one field: of what stands behind its name. Null is for the message to deal with. */
export function compileFieldDecoder(field: DescField, cache: DecoderCache): ValueDecoder {
  if (field.fieldKind === "list") return compileList(compileItemDecoder(field, cache), acceptsNull(field));
  if (field.fieldKind === "map") return compileMap(field, compileItemDecoder(field, cache));
  return compileItemDecoder(field, cache);
}

/** Compiles the decoder of a singular field's value, of an item of a list, or of a value of a map. */
export function compileItemDecoder(field: DescField, cache: DecoderCache): ValueDecoder {
  if (field.enum) return compileEnumDecoder(field.enum);
  if (!field.message) return compileScalarDecoder(field.scalar, "longAsString" in field && field.longAsString);
  const { typeName } = field.message;
  if (typeName === "google.protobuf.Struct" && field.parent.typeName !== valueTypeName) return decodeJsonObject;
  if (field.fieldKind === "message" && !field.oneof && isWrapperDesc(field.message)) {
    // protobuf-es holds a wrapper in such a field as its bare value.
    const wrapped = field.message.fields[0];
    if (wrapped) return compileItemDecoder(wrapped, cache);
  }
  return compileMessageDecoder(field.message, cache);
}

function acceptsNull(field: DescField): boolean {
  return field.message?.typeName === valueTypeName || field.enum?.typeName === "google.protobuf.NullValue";
}

/** Compiles the decoder of a message, once for each cache. */
export function compileMessageDecoder(desc: DescMessage, cache: DecoderCache): ValueDecoder {
  const known = cache.get(desc) ?? compileWellKnownDecoder(desc);
  if (known) return known;

  const fields = new Map<string, JsonField>();
  const decode: ValueDecoder = (json, state) => {
    if (!isJsonObject(json)) return state.reportType("an object", json);
    if (!state.descend()) return undefined;
    const message = create(desc);
    for (const name of Object.keys(json)) {
      const field = fields.get(name);
      state.enter(field ? field.desc.name : name);
      if (!field) state.report("unknown field");
      else decodeInto(message, field, json, name, state);
      state.leave();
    }
    state.ascend();
    return message;
  };

  cache.set(desc, decode);
  for (const field of desc.fields) {
    const compiled = { desc: field, decode: compileFieldDecoder(field, cache), acceptsNull: acceptsNull(field) };
    if (field.jsonName !== field.name) fields.set(field.jsonName, { ...compiled, firstName: field.name });
    fields.set(field.name, { ...compiled, firstName: undefined });
  }
  return decode;
}

function decodeInto(
  message: Message,
  field: JsonField,
  json: Readonly<Record<string, unknown>>,
  name: string,
  state: DecodeState,
): void {
  if (field.firstName !== undefined && Object.hasOwn(json, field.firstName)) {
    state.report(`given twice, as ${field.firstName} and as ${name}`);
    return;
  }
  const fieldJson = json[name];
  if (fieldJson === null && !field.acceptsNull) return;
  const value = field.decode(fieldJson, state);
  const { oneof } = field.desc;
  if (oneof && getOneofCase(message, oneof) !== undefined) {
    state.report(`only one of ${oneof.fields.map((member) => member.name).join(", ")} can be given`);
  } else if (value !== undefined) setField(message, field.desc, value);
}

/** Sets a field to a value in the form that protobuf-es holds it in. */
export function setField(message: Message, field: DescField, value: unknown): void {
  const target = message as Message & Record<string, unknown>;
  if (field.oneof) target[field.oneof.localName] = { case: field.localName, value };
  else target[field.localName] = value;
}

/** The local name of the member that is set. */
export function getOneofCase(message: Message, oneof: DescOneof): string | undefined {
  return (message as Message & Record<string, { case?: string }>)[oneof.localName]?.case;
}

function compileList(decodeItem: ValueDecoder, isNullItem: boolean): ValueDecoder {
  return (json, state) => {
    if (!Array.isArray(json)) return state.reportType("an array", json);
    const list: unknown[] = [];
    for (let index = 0; index < json.length; index++) {
      state.enter(index);
      const item: unknown = json[index];
      const value = item === null && !isNullItem ? state.report("expected a value, got null") : decodeItem(item, state);
      state.leave();
      list.push(value);
    }
    return list;
  };
}

function compileMap(field: DescField & { fieldKind: "map" }, decodeValue: ValueDecoder): ValueDecoder {
  const decodeKey = compileMapKey(field);
  const isNullValue = acceptsNull(field);
  return (json, state) => {
    if (!isJsonObject(json)) return state.reportType("an object", json);
    const map: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(json)) {
      state.enter({ mapKey: name });
      const key = decodeKey(name, state);
      const value =
        item === null && !isNullValue ? state.report("expected a value, got null") : decodeValue(item, state);
      if (key !== undefined) {
        // Two texts of one integer, such as "1" and "01".
        if (Object.hasOwn(map, String(key))) state.report("key given twice");
        setOwn(map, String(key), value);
      }
      state.leave();
    }
    return map;
  };
}

function compileMapKey(field: DescField & { fieldKind: "map" }): ValueDecoder {
  if (field.mapKey !== ScalarType.BOOL) return compileScalarDecoder(field.mapKey);
  return (json, state) => (json === "true" || json === "false" ? json : state.report("expected the key true or false"));
}
