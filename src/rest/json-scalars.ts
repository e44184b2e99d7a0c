import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type DecodeState, isWellFormed, type ValueDecoder } from "./decode-state.js";

const decimalInteger = /^-?[0-9]{1,20}$/;
const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const base64 = /^[A-Za-z0-9+/_-]*(={0,2})$/;
const maxFloat = 3.4028234663852886e38;
const maxListedNames = 12;

/**
 * Decodes a scalar field. An int64 becomes a bigint, or a decimal string where the field has `jstype = JS_STRING`.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
export function compileScalarDecoder(type: ScalarType, isLongAsString = false): ValueDecoder {
  switch (type) {
    case ScalarType.STRING:
      return decodeString;
    case ScalarType.BOOL:
      return (json, state) => (typeof json === "boolean" ? json : state.reportType("true or false", json));
    case ScalarType.BYTES:
      return decodeBytes;
    case ScalarType.DOUBLE:
      return compileFloatDecoder(Number.MAX_VALUE, "a number");
    case ScalarType.FLOAT:
      return compileFloatDecoder(maxFloat, "a number in the range of a 32-bit float");
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return compileInt32Decoder(-(2 ** 31), 2 ** 31 - 1);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return compileInt32Decoder(0, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return compileInt64Decoder(-(2n ** 63n), 2n ** 63n - 1n, isLongAsString);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return compileInt64Decoder(0n, 2n ** 64n - 1n, isLongAsString);
  }
}

/** Decodes an enum by name or number. A number that the enum does not have is refused, unlike in plain ProtoJSON. */
export function compileEnumDecoder(desc: DescEnum): ValueDecoder {
  if (desc.typeName === "google.protobuf.NullValue") {
    return (json, state) => (json === null || json === "NULL_VALUE" || json === 0 ? 0 : state.reportType("null", json));
  }
  const numbers = new Map<unknown, number>();
  for (const { name, number } of desc.values) numbers.set(name, number).set(number, number);
  const names = desc.values.map((value) => value.name);
  const expected = names.length > maxListedNames ? `the name of a ${desc.name}` : `one of ${names.join(", ")}`;
  return (json, state) => {
    const number = numbers.get(json);
    if (number !== undefined) return number;
    if (typeof json === "string") return state.report(`expected ${expected}, got another string`);
    if (typeof json === "number") return state.report(`expected ${expected}, got an unknown number`);
    return state.reportType(expected, json);
  };
}

function decodeString(json: unknown, state: DecodeState): unknown {
  if (typeof json !== "string") return state.reportType("a string", json);
  return isWellFormed(json) ? json : state.report("expected well-formed Unicode, got a lone surrogate");
}

function decodeBytes(json: unknown, state: DecodeState): unknown {
  if (typeof json !== "string") return state.reportType("a base64 string", json);
  const padding = base64.exec(json)?.[1]?.length;
  const isWhole = padding === 0 ? json.length % 4 !== 1 : json.length % 4 === 0;
  if (padding === undefined || !isWhole) return state.report("expected a base64 string, got another string");
  return base64Decode(json);
}

function compileFloatDecoder(max: number, expected: string): ValueDecoder {
  return (json, state) => {
    if (json === "NaN") return Number.NaN;
    if (json === "Infinity") return Number.POSITIVE_INFINITY;
    if (json === "-Infinity") return Number.NEGATIVE_INFINITY;
    if (typeof json === "string" && !jsonNumber.test(json)) {
      return state.report(`expected ${expected}, got a string that is not one`);
    }
    if (typeof json !== "string" && typeof json !== "number") return state.reportType(expected, json);
    // JSON.parse reads 1e999 as Infinity; the comparison refuses that, and NaN.
    const value = Number(json);
    return Math.abs(value) <= max ? value : state.report(`expected ${expected}, got one out of range`);
  };
}

function compileInt32Decoder(min: number, max: number): ValueDecoder {
  const expected = `an integer from ${min} to ${max}`;
  return (json, state) => {
    const value = typeof json === "string" && decimalInteger.test(json) ? Number(json) : json;
    if (typeof value !== "number") return reportInteger(expected, json, state);
    if (!Number.isInteger(value)) return state.report(`expected ${expected}, got a fraction`);
    // Adding 0 turns -0 into 0.
    return value >= min && value <= max ? value + 0 : state.report(`expected ${expected}, got one out of range`);
  };
}

function compileInt64Decoder(min: bigint, max: bigint, isLongAsString: boolean): ValueDecoder {
  const expected = `an integer from ${min} to ${max}`;
  return (json, state) => {
    let value: bigint;
    if (typeof json === "string" && decimalInteger.test(json)) {
      value = BigInt(json);
    } else if (typeof json === "number" && Number.isSafeInteger(json)) {
      value = BigInt(json);
    } else if (typeof json === "number") {
      // JSON.parse has rounded it already: guessing what was meant could change a quota.
      return Number.isInteger(json)
        ? state.report(`expected ${expected}, got a number beyond 2^53, which has to be sent as a string`)
        : state.report(`expected ${expected}, got a fraction`);
    } else return reportInteger(expected, json, state);
    if (value < min || value > max) return state.report(`expected ${expected}, got one out of range`);
    return isLongAsString ? String(value) : value;
  };
}

function reportInteger(expected: string, json: unknown, state: DecodeState): undefined {
  if (typeof json === "string") return state.report(`expected ${expected}, got a string that is not one`);
  return state.reportType(expected, json);
}
