import { create, fromJson, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { EnumValueDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  AdminIssueApiKeyResponseSchema,
  AdminVerifyApiKeyResponseSchema,
  GetJwksResponseSchema,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { KeyStatus } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { compileJsonDecoder } from "../../src/rest/json-decode.js";
import { compileJsonEncoder, compileJsonFieldEncoder } from "../../src/rest/json-encode.js";
import { everythingJson } from "./json-arbitrary.js";
import { everything, makeSchema } from "./schema.js";

const desc = makeSchema(everything).message("Everything");
const encode = compileJsonEncoder(desc);
const decode = compileJsonDecoder(desc);

test("writes fields without presence, and leaves absent messages out", () => {
  const message = create(AdminIssueApiKeyResponseSchema, { issuedApiKey: { status: KeyStatus.ACTIVE } });
  expect(compileJsonEncoder(AdminIssueApiKeyResponseSchema)(message)).toBe(
    '{"issued_api_key":{"key_id":"","name":"","actor_id":"","scopes":[],"status":"KEY_STATUS_ACTIVE",' +
      '"visibility":"KEY_VISIBILITY_UNSPECIFIED","revocation_reason":"REVOCATION_REASON_UNSPECIFIED",' +
      '"revocation_description":""},"secret":"","secret_expired":false}',
  );
});

test("leaves out what is absent in proto2, where the prototype holds a default", () => {
  expect(compileJsonEncoder(EnumValueDescriptorProtoSchema)(create(EnumValueDescriptorProtoSchema))).toBe("{}");
});

test("is_valid is there when it is false", () => {
  const text = compileJsonEncoder(AdminVerifyApiKeyResponseSchema)(create(AdminVerifyApiKeyResponseSchema));
  expect(JSON.parse(text)).toMatchObject({ is_valid: false });
});

describe("writes", () => {
  test.each<[string, object, string]>([
    ["a timestamp", { timestamp: "2021-01-01T01:00:00.5+01:00" }, '"timestamp":"2021-01-01T00:00:00.500Z"'],
    ["a duration in seconds", { duration: "1h0.25s" }, '"duration":"3600.250s"'],
    ["a negative duration", { duration: "-500ms" }, '"duration":"-0.500s"'],
    ["a field mask in snake_case", { field_mask: "actorId,b.cD" }, '"field_mask":"actor_id,b.c_d"'],
    ["int64 as string", { int64_value: 5 }, '"int64_value":"5"'],
    ["NaN", { double_value: "NaN" }, '"double_value":"NaN"'],
    ["infinity", { float_value: "-Infinity" }, '"float_value":"-Infinity"'],
    ["bytes", { bytes_value: "-_8" }, '"bytes_value":"+/8="'],
    ["null", { value: null, null_value: null }, '"value":null'],
    ["a member of a oneof, also when zero", { oneof_double_value: 0 }, '"oneof_double_value":0'],
    ["an optional, also when empty", { optional_value: "" }, '"optional_value":""'],
    ["a wrapper as its value", { bool_value_wrapper: false }, '"bool_value_wrapper":false'],
    ["what needs an escape", { string_value: 'a"\\\n\u007f\u2028😀' }, '"string_value":"a\\"\\\\\\n\u007f\u2028😀"'],
    ["a map", { int64_map: { "-1": 2 } }, '"int64_map":{"-1":2}'],
    ["a Struct", { struct: { b: 1, a: [null] } }, '"struct":{"b":1,"a":[null]}'],
  ])("%s", (_, json, text) => {
    expect(encode(decode(json))).toContain(text);
  });

  test.each(["struct", "value", "string_map"])("a key __proto__ in %s", (name) => {
    const json = JSON.parse(`{"${name}": {"__proto__": "a"}}`);
    expect(encode(decode(json))).toContain(`"${name}":{"__proto__":"a"}`);
  });

  test("an enum number without a name as the number", () => {
    expect(encode(create(desc, { enumValue: 77 } as Record<string, unknown>))).toContain('"enum_value":77');
  });

  test("a list of Structs", () => {
    const text = compileJsonEncoder(GetJwksResponseSchema)(
      create(GetJwksResponseSchema, { keys: [{ kty: "OKP" }], jwks: {} }),
    );
    expect(text).toBe('{"keys":[{"kty":"OKP"}],"jwks":{"keys":[]}}');
  });

  test("no lone surrogates, wherever they come from", () => {
    expect(encode(create(desc, { stringValue: "\ud800" } as Record<string, unknown>))).toContain(
      '"string_value":"\\ud800"',
    );
  });
});

describe("refuses", () => {
  const outOfRange = new RangeError("google.protobuf.Duration out of range");

  test.each([
    { seconds: 315_576_000_001n, nanos: 0 },
    { seconds: 1n, nanos: -1 },
    { seconds: -1n, nanos: 1 },
    { seconds: 0n, nanos: 1_000_000_000 },
  ])("a duration of $seconds s and $nanos ns", (duration) => {
    expect(() => encode(create(desc, { duration } as Record<string, unknown>))).toThrow(outOfRange);
  });

  test("infinity as a Value", () => {
    const value = { kind: { case: "numberValue", value: Number.POSITIVE_INFINITY } };
    expect(() => encode(create(desc, { value } as Record<string, unknown>))).toThrow(
      new RangeError("google.protobuf.Value must be a finite number"),
    );
  });
});

describe("one field", () => {
  const encodeField = (name: string, json: unknown): string => {
    const field = desc.fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(name);
    return compileJsonFieldEncoder(field)(decode(json));
  };

  test("is its value", () => {
    expect(encodeField("string_list", { string_list: ["a"] })).toBe('["a"]');
    expect(encodeField("string_list", {})).toBe("[]");
    expect(encodeField("nested", { nested: {} })).toBe('{"double_value":0,"camel_case_name":""}');
    expect(encodeField("nested", {})).toBe("null");
  });
});

describe("properties", () => {
  // Without field masks, which protobuf-es writes in camelCase.
  const messages = everythingJson.map(({ field_mask, ...json }) => decode(json));

  test("agrees with protobuf-es", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const theirs = JSON.stringify(toJson(desc, message, { useProtoFieldName: true, alwaysEmitImplicit: true }));
        expect(JSON.parse(encode(message))).toEqual(JSON.parse(theirs));
      }),
      { seed: 10, numRuns: 500 },
    );
  });

  test("what is written is read, here and by protobuf-es", () => {
    fc.assert(
      fc.property(messages, (message: Message) => {
        const json: JsonValue = JSON.parse(encode(message));
        expect(decode(json)).toEqual(fromJson(desc, json));
        expect(encode(decode(json))).toBe(encode(message));
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});
