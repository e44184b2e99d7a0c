import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { ValueDecoder } from "./decode-state.js";
import { compileItemDecoder, type DecoderCache } from "./json-decode.js";

const integer = /^-?[0-9]{1,10}$/;

/**
 * Compiles the decoder of a text from a path or query: of a singular field's value, or of one item of a repeated field.
 * It reads what ProtoJSON reads in a string, and also the booleans and the enum numbers that JSON writes without quotes.
 * The field must be one that `isTextField` accepts.
 */
export function compileTextDecoder(field: DescField, cache: DecoderCache): ValueDecoder {
  const decode = compileItemDecoder(field, cache);
  if (field.enum) return (text, state) => decode(integer.test(String(text)) ? Number(text) : text, state);
  const scalar = field.message && isWrapperDesc(field.message) ? field.message.fields[0]?.scalar : field.scalar;
  if (scalar !== ScalarType.BOOL) return decode;
  return (text, state) => {
    if (text !== "true" && text !== "false") return state.report("expected true or false, got another text");
    return decode(text === "true", state);
  };
}
