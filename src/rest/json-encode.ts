import { type DescEnum, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { encodeWellKnown } from "./json-encode-well-known.js";

/** Writes the value of a message's field, as protobuf-es holds it, as JSON text. */
type ValueEncoder = (value: unknown) => string;

/** Message types compiled so far: a type may hold itself. */
type EncoderCache = Map<DescMessage, ValueEncoder>;

interface EncodedField {
  /** The quoted name and the colon. */
  readonly prefix: string;
  /** The value that is to be written; undefined when there is none. */
  readonly read: (message: Record<string, unknown>) => unknown;
  readonly encode: ValueEncoder;
}

/**
 * Compiles an encoder of ProtoJSON text with snake_case names, in which fields without presence are always written, and
 * absent messages, optionals and members of a oneof are left out.
 *
 * A verify response takes 1.5 µs, against 4 µs for protobuf-es' `toJson` with JSON.stringify, which reflects on each field
 * of each message and loses a Struct's key `__proto__`.
 *
 * @see https://protobuf.dev/programming-guides/json/
 * @throws (the encoder) when a message holds what JSON cannot say, such as a timestamp out of range
 */
export function compileJsonEncoder(desc: DescMessage): (message: Message) => string {
  return compileMessage(desc, new Map());
}

/** The same for one field of a message, as `response_body` wants it. An absent message is `null`. */
export function compileJsonFieldEncoder(field: DescField): (message: Message) => string {
  const { read, encode } = compileField(field, new Map());
  return (message) => {
    const value = read(message as Message & Record<string, unknown>);
    return value === undefined ? "null" : encode(value);
  };
}

function compileMessage(desc: DescMessage, cache: EncoderCache): ValueEncoder {
  const known = cache.get(desc) ?? compileWellKnown(desc);
  if (known) return known;
  const fields: EncodedField[] = [];
  const encode: ValueEncoder = (message) => {
    let text = "";
    for (const field of fields) {
      const value = field.read(message as Record<string, unknown>);
      if (value === undefined) continue;
      text += (text === "" ? field.prefix : `,${field.prefix}`) + field.encode(value);
    }
    return `{${text}}`;
  };
  cache.set(desc, encode);
  for (const field of desc.fields) fields.push(compileField(field, cache));
  return encode;
}

function compileWellKnown(desc: DescMessage): ValueEncoder | undefined {
  const field = desc.fields[0];
  if (isWrapperDesc(desc) && field?.fieldKind === "scalar") {
    const encode = compileScalar(field.scalar);
    return (message) => encode((message as Record<string, unknown>)[field.localName]);
  }
  if (desc.typeName === "google.protobuf.Any") throw new Error("google.protobuf.Any cannot be used over REST");
  return encodeWellKnown.get(desc.typeName) as ValueEncoder | undefined;
}

function compileField(field: DescField, cache: EncoderCache): EncodedField {
  const prefix = `${JSON.stringify(field.name)}:`;
  const encodeItem = compileItem(field, cache);
  if (field.fieldKind === "list") {
    return { prefix, read: compileRead(field), encode: (list) => `[${(list as unknown[]).map(encodeItem).join(",")}]` };
  }
  if (field.fieldKind === "map") {
    const encode: ValueEncoder = (map) => {
      const entries = Object.entries(map as object).map(
        ([key, value]) => `${JSON.stringify(key)}:${encodeItem(value)}`,
      );
      return `{${entries.join(",")}}`;
    };
    return { prefix, read: compileRead(field), encode };
  }
  return { prefix, read: compileRead(field), encode: encodeItem };
}

function compileRead({ localName, oneof, presence }: DescField): EncodedField["read"] {
  if (oneof) {
    return (message) => {
      const member = message[oneof.localName] as { readonly case?: string; readonly value?: unknown };
      return member.case === localName ? member.value : undefined;
    };
  }
  if (presence === FeatureSet_FieldPresence.IMPLICIT) return (message) => message[localName];
  // Outside proto3 the prototype holds the default of a field that is absent.
  return (message) => (Object.hasOwn(message, localName) ? message[localName] : undefined);
}

function compileItem(field: DescField, cache: EncoderCache): ValueEncoder {
  if (field.enum) return compileEnum(field.enum);
  if (!field.message) return compileScalar(field.scalar);
  if (field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
    // protobuf-es holds it as the JSON object itself.
    return (json) => JSON.stringify(json);
  }
  if (field.fieldKind === "message" && !field.oneof && isWrapperDesc(field.message)) {
    // protobuf-es holds a wrapper in such a field as its bare value.
    const wrapped = field.message.fields[0];
    if (wrapped) return compileItem(wrapped, cache);
  }
  return compileMessage(field.message, cache);
}

/** A number without a name, which a newer server may have stored, stays a number. */
function compileEnum(desc: DescEnum): ValueEncoder {
  if (desc.typeName === "google.protobuf.NullValue") return () => "null";
  const names = new Map<unknown, string>();
  // The first of several names is the canonical one.
  for (const { name, number } of desc.values) if (!names.has(number)) names.set(number, JSON.stringify(name));
  return (number) => names.get(number) ?? String(number);
}

// Neither control characters nor a quote, backslash or surrogate.
const plainText = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** JSON.stringify of a string, three times as fast for most of them. */
function quote(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}

function compileScalar(type: ScalarType): ValueEncoder {
  switch (type) {
    case ScalarType.STRING:
      return (value) => quote(value as string);
    case ScalarType.BYTES:
      return (value) => `"${base64Encode(value as Uint8Array)}"`;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return (value) => (Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`);
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return (value) => `"${value}"`;
    default:
      return String;
  }
}
