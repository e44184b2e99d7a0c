import { create, type DescField, type Message } from "@bufbuild/protobuf";
import { type DecodeState, isJsonObject } from "./decode-state.js";
import type { HttpBinding } from "./http-rules.js";
import { compileFieldDecoder, compileMessageDecoder, type DecoderCache, setField } from "./json-decode.js";

/** What a body said. */
export interface DecodedBody {
  readonly message: Message;
  /** The JSON object that an update mask is about; undefined where there is none. */
  readonly resourceJson: unknown;
  /** The request's fields that the body gave and the query could have given as well. */
  readonly fields: ReadonlySet<string>;
}

export type BodyDecoder = (body: Uint8Array | undefined, state: DecodeState) => DecodedBody;

const noFields: ReadonlySet<string> = new Set();

/** Compiles the decoder of a body, which makes the request message. An empty body is one that sets nothing. */
export function compileBodyDecoder(binding: HttpBinding, cache: DecoderCache): BodyDecoder {
  const { body, method } = binding;
  const empty = (): DecodedBody => ({ message: create(method.input), resourceJson: undefined, fields: noFields });
  if (body.kind === "none") {
    return (bytes, state) => {
      if (bytes?.length) state.report("this method takes no body");
      return empty();
    };
  }
  const decodeJson = body.kind === "message" ? compileWhole(binding, cache) : compileField(binding, body.field, cache);
  return (bytes, state) => {
    if (!bytes?.length) return empty();
    const json = parseJson(bytes, state);
    return (json !== undefined && decodeJson(json, state)) || empty();
  };
}

type JsonBodyDecoder = (json: unknown, state: DecodeState) => DecodedBody | undefined;

function compileWhole(binding: HttpBinding, cache: DecoderCache): JsonBodyDecoder {
  const decode = compileMessageDecoder(binding.method.input, cache);
  return (json, state) => {
    const message = decode(json, state) as Message | undefined;
    return message && { message, resourceJson: json, fields: noFields };
  };
}

/**
 * The body is the bare field. Clients of other servers send the whole request instead, the field inside it: an object with
 * a key of the body field's name is read so, unless the field itself has a field of that name.
 */
function compileField(binding: HttpBinding, field: DescField, cache: DecoderCache): JsonBodyDecoder {
  const { input } = binding.method;
  const decodeField = compileFieldDecoder(field, cache);
  const decodeWhole = compileMessageDecoder(input, cache);
  const inner =
    field.fieldKind === "message" ? field.message.fields.flatMap(({ name, jsonName }) => [name, jsonName]) : [];
  const wrapperNames =
    field.fieldKind === "message" ? [field.name, field.jsonName].filter((name) => !inner.includes(name)) : [];
  const requestFields = new Map(
    input.fields.flatMap(({ name, jsonName }) => [
      [name, name],
      [jsonName, name],
    ]),
  );

  return (json, state) => {
    const wrapperName = isJsonObject(json) && wrapperNames.find((name) => Object.hasOwn(json, name));
    if (wrapperName) {
      const message = decodeWhole(json, state) as Message | undefined;
      const given = Object.entries(json).filter(([, value]) => value !== null);
      const fields = new Set(given.map(([name]) => requestFields.get(name) ?? name));
      return message && { message, resourceJson: json[wrapperName], fields };
    }
    const message = create(input);
    state.enter(field.name);
    const value = decodeField(json, state);
    state.leave();
    if (value !== undefined) setField(message, field, value);
    return { message, resourceJson: json, fields: noFields };
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Neither the body nor the parser's message, which quotes it, is told or kept: it may hold a credential. */
function parseJson(bytes: Uint8Array, state: DecodeState): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return state.report("not valid UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    return state.report("not valid JSON");
  }
}
