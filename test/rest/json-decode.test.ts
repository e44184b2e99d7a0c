import { fromJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  AdminBatchImportApiKeysRequestSchema,
  AdminIssueApiKeyRequestSchema,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { compileJsonDecoder } from "../../src/rest/json-decode.js";
import { caught, invalid } from "./caught.js";
import { anyJson, everythingJson } from "./json-arbitrary.js";
import { everything, makeSchema } from "./schema.js";

const desc = makeSchema(everything).message("Everything");
const decode = compileJsonDecoder(desc);
const plain = (message: Message): unknown => {
  const { $typeName, ...fields } = message as Message & Record<string, unknown>;
  return fields;
};
const decoded = (json: unknown): unknown => plain(decode(json));
const int32 = "expected an integer from -2147483648 to 2147483647";
const int64 = "expected an integer from -9223372036854775808 to 9223372036854775807";

describe("accepts", () => {
  test.each<[string, unknown, object]>([
    ["snake_case", { string_value: "a" }, { stringValue: "a" }],
    ["camelCase", { stringValue: "a" }, { stringValue: "a" }],
    [
      "an integer with a zero fraction",
      JSON.parse('{"int32_value": 1.0, "uint32_value": 1e3}'),
      { int32Value: 1, uint32Value: 1000 },
    ],
    ["an integer as string", { int32_value: "-5" }, { int32Value: -5 }],
    ["int64 as string", { int64_value: "-9223372036854775808" }, { int64Value: -(2n ** 63n) }],
    ["int64 as number", { int64_value: 9007199254740991 }, { int64Value: 9007199254740991n }],
    ["uint64", { uint64_value: "18446744073709551615" }, { uint64Value: 2n ** 64n - 1n }],
    ["negative zero", JSON.parse('{"int32_value": -0}'), { int32Value: 0 }],
    ["NaN", { double_value: "NaN" }, { doubleValue: Number.NaN }],
    [
      "infinities",
      { double_value: "Infinity", float_value: "-Infinity" },
      { doubleValue: Infinity, floatValue: -Infinity },
    ],
    ["a float as string", { double_value: "1.5e3" }, { doubleValue: 1500 }],
    ["an enum by name", { enum_value: "RED" }, { enumValue: 1 }],
    ["an enum by number", { enum_value: 1 }, { enumValue: 1 }],
    ["base64", { bytes_value: "+/8=" }, { bytesValue: new Uint8Array([251, 255]) }],
    ["base64url without padding", { bytes_value: "-_8" }, { bytesValue: new Uint8Array([251, 255]) }],
    ["no bytes", { bytes_value: "" }, { bytesValue: new Uint8Array() }],
    [
      "null as absent",
      { string_value: null, string_list: null, nested: null, optional_value: null },
      { stringValue: "", stringList: [] },
    ],
    [
      "null of a oneof as absent",
      { oneof_double_value: null, oneof_string_value: "a" },
      { choice: { case: "oneofStringValue", value: "a" } },
    ],
    ["optional", { optional_value: "" }, { optionalValue: "" }],
    [
      "a wrapper",
      { int64_value_wrapper: "5", string_value_wrapper: "" },
      { int64ValueWrapper: 5n, stringValueWrapper: "" },
    ],
    [
      "a wrapper in a oneof",
      { oneof_wrapper: "a" },
      { choice: { case: "oneofWrapper", value: { $typeName: "google.protobuf.StringValue", value: "a" } } },
    ],
    [
      "a field mask in both cases",
      { field_mask: "actor_id,rateLimitPolicy.quota,*" },
      { fieldMask: { paths: ["actor_id", "rate_limit_policy.quota", "*"] } },
    ],
    ["a map key in a field mask", { field_mask: "metadata.`aB`" }, { fieldMask: { paths: ["metadata.`aB`"] } }],
    ["an empty field mask", { field_mask: "" }, { fieldMask: { paths: [] } }],
    ["longer durations", { duration: "1y6mo" }, { duration: { seconds: 47088000n, nanos: 0 } }],
    ["a negative duration", { duration: "-1h" }, { duration: { seconds: -3600n, nanos: 0 } }],
    ["a timestamp", { timestamp: "2021-01-01T00:00:00Z" }, { timestamp: { seconds: 1609459200n, nanos: 0 } }],
    ["a Struct", { struct: { a: [1, { b: null }] } }, { struct: { a: [1, { b: null }] } }],
    ["null as a Value", { value: null }, { value: { kind: { case: "nullValue", value: 0 } } }],
    [
      "null in a list of Values",
      { value_list: [null, 1] },
      { valueList: [{ kind: { case: "nullValue" } }, { kind: { case: "numberValue", value: 1 } }] },
    ],
    ["null as NullValue", { null_value: null }, { nullValue: 0 }],
    ["Empty", { empty: {} }, { empty: {} }],
    [
      "lists",
      { nested_list: [{}, { double_value: 1 }], enum_list: ["RED", 0] },
      { nestedList: [{ doubleValue: 0 }, { doubleValue: 1 }], enumList: [1, 0] },
    ],
    [
      "maps",
      { int64_map: { "-1": 2 }, bool_map: { true: "RED" }, nested_map: { a: {} } },
      { int64Map: { "-1": 2 }, boolMap: { true: 1 }, nestedMap: { a: { doubleValue: 0 } } },
    ],
  ])("%s", (_, json, fields) => {
    expect(decoded(json)).toMatchObject(fields);
  });
});

test("a null message is the same as none", () => {
  expect(decode({ nested: null, duration: null, bool_value_wrapper: null })).toEqual(decode({}));
});

describe("refuses", () => {
  test.each<[string, unknown, string]>([
    ["an unknown field", { nope: 1 }, "nope: unknown field"],
    ["an unknown field further in", { nested_list: [{}, { quotaa: 1 }] }, "nested_list[1].quotaa: unknown field"],
    ["an unknown field in a map", { nested_map: { key: { nope: 1 } } }, 'nested_map["key"].nope: unknown field'],
    [
      "names that could be anything",
      { "a b": 1, ["k".repeat(65)]: 1 },
      "(a name of 3 characters): unknown field; (a name of 65 characters): unknown field",
    ],
    [
      "a map key that could be anything",
      { nested_map: { "a\nb": 1 } },
      "nested_map[(a name of 3 characters)]: expected an object, got a number",
    ],
    ["__proto__", JSON.parse('{"__proto__": {"a": 1}}'), "__proto__: unknown field"],
    ["constructor", { constructor: 1, toString: 1 }, "constructor: unknown field; toString: unknown field"],
    [
      "both names of a field",
      { string_value: "a", stringValue: "b" },
      "string_value: given twice, as string_value and as stringValue",
    ],
    [
      "two members of a oneof",
      { oneof_double_value: 1, oneof_string_value: "a" },
      "oneof_string_value: only one of oneof_double_value, oneof_string_value, oneof_nested, oneof_wrapper can be given",
    ],
    ["a string for a number", { int32_value: "12a" }, `int32_value: ${int32}, got a string that is not one`],
    ["an empty string for a number", { int32_value: "" }, `int32_value: ${int32}, got a string that is not one`],
    ["a fraction", { int32_value: 1.5 }, `int32_value: ${int32}, got a fraction`],
    ["int32 out of range", { int32_value: 2147483648 }, `int32_value: ${int32}, got one out of range`],
    ["int32 out of range as string", { int32_value: "-2147483649" }, `int32_value: ${int32}, got one out of range`],
    [
      "uint32 out of range",
      { uint32_value: -1 },
      "uint32_value: expected an integer from 0 to 4294967295, got one out of range",
    ],
    ["int64 out of range", { int64_value: "9223372036854775808" }, `int64_value: ${int64}, got one out of range`],
    ["a fraction as int64", { int64_value: 0.5 }, `int64_value: ${int64}, got a fraction`],
    [
      "an inexact number",
      JSON.parse('{"int64_value": 9007199254740993}'),
      `int64_value: ${int64}, got a number beyond 2^53, which has to be sent as a string`,
    ],
    ["an array for an int64", { int64_value: [] }, `int64_value: ${int64}, got an array`],
    [
      "a float out of range",
      { float_value: 1.7e308 },
      "float_value: expected a number in the range of a 32-bit float, got one out of range",
    ],
    [
      "a double out of range",
      JSON.parse('{"double_value": 1e999}'),
      "double_value: expected a number, got one out of range",
    ],
    ["a double with spaces", { double_value: " 1" }, "double_value: expected a number, got a string that is not one"],
    ["a boolean for a double", { double_value: true }, "double_value: expected a number, got a boolean"],
    ["a string for a boolean", { bool_value: "true" }, "bool_value: expected true or false, got a string"],
    ["a number for a string", { string_value: 1 }, "string_value: expected a string, got a number"],
    [
      "a lone surrogate",
      JSON.parse('{"string_value": "\\ud800"}'),
      "string_value: expected well-formed Unicode, got a lone surrogate",
    ],
    ["an object for bytes", { bytes_value: {} }, "bytes_value: expected a base64 string, got an object"],
    ["no base64", { bytes_value: "a" }, "bytes_value: expected a base64 string, got another string"],
    [
      "base64 with too much padding",
      { bytes_value: "YQ=" },
      "bytes_value: expected a base64 string, got another string",
    ],
    [
      "an unknown enum name",
      { enum_value: "PINK" },
      "enum_value: expected one of COLOR_UNSPECIFIED, RED, ENUM_VALUE, got another string",
    ],
    [
      "an unknown enum number",
      { enum_value: 9 },
      "enum_value: expected one of COLOR_UNSPECIFIED, RED, ENUM_VALUE, got an unknown number",
    ],
    [
      "a boolean for an enum",
      { enum_value: true },
      "enum_value: expected one of COLOR_UNSPECIFIED, RED, ENUM_VALUE, got a boolean",
    ],
    ["a large enum", { many_value: "X" }, "many_value: expected the name of a Many, got another string"],
    ["anything but null for NullValue", { null_value: 1 }, "null_value: expected null, got a number"],
    ["an object for a list", { string_list: {} }, "string_list: expected an array, got an object"],
    ["null in a list", { string_list: ["a", null] }, "string_list[1]: expected a value, got null"],
    ["an array for an object", { nested: [] }, "nested: expected an object, got an array"],
    ["an array for a map", { string_map: [] }, "string_map: expected an object, got an array"],
    ["null in a map", { string_map: { a: null } }, 'string_map["a"]: expected a value, got null'],
    ["a map key that is no integer", { int64_map: { a: 1 } }, `int64_map["a"]: ${int64}, got a string that is not one`],
    ["two spellings of a map key", { int64_map: { "1": 1, "01": 2 } }, 'int64_map["01"]: key given twice'],
    ["a map key that is no boolean", { bool_map: { yes: 1 } }, 'bool_map["yes"]: expected the key true or false'],
    [
      "a bad timestamp",
      { timestamp: "yesterday" },
      "timestamp: expected an RFC 3339 timestamp such as 2030-01-31T12:00:00Z, got another string",
    ],
    [
      "a number for a timestamp",
      { timestamp: 1 },
      "timestamp: expected an RFC 3339 timestamp such as 2030-01-31T12:00:00Z, got a number",
    ],
    ["a bad duration", { duration: "1h 30m" }, 'duration: expected a duration such as "3600s", "1h30m" or "30d"'],
    ["a number for a duration", { duration: 3600 }, "duration: expected a duration string, got a number"],
    [
      "a list for a field mask",
      { field_mask: ["a"] },
      "field_mask: expected a string of comma-separated field names, got an array",
    ],
    [
      "a gap in a field mask",
      { field_mask: "a,,b" },
      "field_mask: expected comma-separated field names, got an empty one",
    ],
    ["an array for a Struct", { struct: [] }, "struct: expected an object, got an array"],
    [
      "a lone surrogate in a Struct",
      { struct: { a: ["\udc00"] } },
      "struct: expected well-formed Unicode, got a lone surrogate",
    ],
    [
      "a lone surrogate in a Struct's key",
      { struct: { "\udc00": 1 } },
      "struct: expected well-formed Unicode, got a lone surrogate",
    ],
    [
      "infinity in a Struct",
      JSON.parse('{"struct": {"a": 1e999}}'),
      "struct: expected finite numbers, got one out of range",
    ],
    ["an object for a ListValue", { list: {} }, "list: expected an array, got an object"],
    ["a field in Empty", { empty: { a: 1 } }, "empty.a: unknown field"],
    ["no object at all", [], "body: expected an object, got an array"],
    ["null at the top", null, "body: expected an object, got null"],
  ])("%s", (_, json, message) => {
    expect(caught(() => decode(json))).toEqual(invalid(message));
  });
});

test("names the path in the whole request", () => {
  const json = { requests: [{}, {}, {}, { rate_limit_policy: { quotaa: 1 } }] };
  const decodeBatch = compileJsonDecoder(AdminBatchImportApiKeysRequestSchema);
  expect(caught(() => decodeBatch(json))).toEqual(invalid("requests[3].rate_limit_policy.quotaa: unknown field"));
  expect(caught(() => decode({ a: 1 }, ["issued_api_key"]))).toEqual(invalid("issued_api_key.a: unknown field"));
  expect(caught(() => decode([], ["list", 2]))).toEqual(invalid("list[2]: expected an object, got an array"));
});

test("a Struct may be the whole request", () => {
  const decodeStruct = compileJsonDecoder(StructSchema);
  expect(decodeStruct({ a: [{}] })).toEqual(fromJson(StructSchema, { a: [{}] }));
  expect(caught(() => decodeStruct([]))).toEqual(invalid("body: expected an object, got an array"));
});

test("refuses what JSON.parse cannot answer", () => {
  expect(caught(() => decode({ value: undefined, struct: { a: 1n } }))).toEqual(
    invalid("value: expected JSON, got a undefined; struct: expected JSON, got a bigint"),
  );
});

test("tells every mistake, up to ten", () => {
  const mistakes = (count: number): unknown => ({ string_list: Array.from({ length: count }, () => 1) });
  const message = (count: number): string =>
    Array.from({ length: count }, (_, i) => `string_list[${i}]: expected a string, got a number`).join("; ");
  expect(caught(() => decode(mistakes(3)))).toEqual(invalid(message(3)));
  expect(caught(() => decode(mistakes(11)))).toEqual(invalid(message(10)));
});

describe("depth", () => {
  const nest = (levels: number, name: string): unknown => {
    let json: unknown = {};
    for (let level = 1; level < levels; level++) json = { [name]: json };
    return json;
  };

  test("64 levels of messages, not more", () => {
    expect(caught(() => decode(nest(64, "recursive")))).toBeUndefined();
    const path = Array.from({ length: 64 }, () => "recursive").join(".");
    expect(caught(() => decode(nest(65, "recursive")))).toEqual(invalid(`${path}: nested more than 64 levels deep`));
  });

  test("neighbours are no levels", () => {
    expect(caught(() => decode({ nested_list: Array.from({ length: 100 }, () => ({})) }))).toBeUndefined();
  });

  test("64 levels with a Struct's, not more", () => {
    expect(caught(() => decode({ struct: nest(63, "a") }))).toBeUndefined();
    expect(caught(() => decode({ struct: nest(64, "a") }))).toEqual(invalid("struct: nested more than 64 levels deep"));
  });

  test("a level too many elsewhere does not count for what comes after", () => {
    const message = "struct: nested more than 64 levels deep; list: nested more than 64 levels deep";
    const json = { struct: nest(99, "a"), list: [nest(99, "a")], value: nest(60, "a"), nested: {} };
    expect(caught(() => decode(json))).toEqual(invalid(message));
  });

  test("100,000 levels do not overflow the stack", () => {
    const json = JSON.parse(`{"value": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(caught(() => decode(json))).toEqual(invalid("value: nested more than 64 levels deep"));
  });
});

describe("__proto__ is a key like others", () => {
  const json = JSON.parse('{"__proto__": {"polluted": 1}}');

  test("in a Struct field", () => {
    const { struct } = decode({ struct: json }) as Message & { struct: object };
    expect(Object.keys(struct)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(struct)).toBe(Object.prototype);
  });

  test("in a Value", () => {
    const { value } = decode({ value: json }) as Message & { value: { kind: { value: { fields: object } } } };
    expect(Object.keys(value.kind.value.fields)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value.kind.value.fields)).toBe(Object.prototype);
  });

  test("in a map", () => {
    const { stringMap } = decode({ string_map: JSON.parse('{"__proto__": "a"}') }) as Message & { stringMap: object };
    expect(Object.entries(stringMap)).toEqual([["__proto__", "a"]]);
    expect(Object.getPrototypeOf(stringMap)).toBe(Object.prototype);
  });

  test("and nothing else has changed", () => {
    expect((Object.prototype as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("properties", () => {
  test("agrees with protobuf-es on valid messages", () => {
    fc.assert(
      fc.property(everythingJson, (json) => expect(decode(json)).toEqual(fromJson(desc, json as JsonValue))),
      { seed: 7, numRuns: 500 },
    );
  });

  test("any JSON is a message or INVALID_ARGUMENT", () => {
    const issue = compileJsonDecoder(AdminIssueApiKeyRequestSchema);
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(anyJson(desc), (json) => {
        outcomes.add(caught(() => decode(json))?.reason ?? "message");
        caught(() => issue(json));
      }),
      { seed: 8, numRuns: 5_000 },
    );
    expect([...outcomes].sort()).toEqual(["INVALID_ARGUMENT", "message"]);
  });

  test("no string of the request is ever told", () => {
    const secret = "lk_v1_secret";
    fc.assert(
      fc.property(
        fc.constantFrom(...desc.fields),
        fc.constantFrom<unknown>(secret, [secret], { [`${secret} `]: secret }),
        (field, value) => {
          const message = caught(() => decode({ [field.name]: value }))?.message ?? "";
          expect(message).not.toContain(secret);
        },
      ),
      { seed: 9, numRuns: 500 },
    );
  });
});
