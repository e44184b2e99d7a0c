import type { DescMessage } from "@bufbuild/protobuf";
import fc from "fast-check";

const text = fc.string({ unit: "grapheme" });
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
const struct = fc
  .dictionary(text, json, { maxKeys: 3, noNullPrototype: true })
  .filter((value) => !Object.hasOwn(value, "__proto__"));
const timestamp = fc
  .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
// At least a nanosecond: of "-1.0s" protobuf-es makes -0 nanoseconds.
const duration = fc
  .tuple(int32, fc.integer({ min: 1, max: 999_999_999 }))
  .map(([s, n]) => `${s}.${String(n).padStart(9, "0")}s`);
const color = fc.constantFrom<string | number>("COLOR_UNSPECIFIED", "RED", 0, 2);
const nested = fc.record(
  { double_value: fc.double({ noNaN: true, noDefaultInfinity: true }), camelCaseName: text },
  { requiredKeys: [] },
);

/** JSON of `Everything` that protobuf-es accepts too: in the part of our JSON that is plain ProtoJSON. */
export const everythingJson = fc.record(
  {
    double_value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom("NaN", "Infinity", "1e3"),
    ),
    floatValue: fc.float({ noNaN: true, noDefaultInfinity: true }),
    int32_value: fc.oneof(int32, int32.map(String)),
    int64Value: fc.oneof(int64.map(String), fc.maxSafeInteger()),
    uint32_value: fc.nat(),
    uint64_value: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
    bool_value: fc.boolean(),
    stringValue: fc.oneof(text, fc.constant(null)),
    bytes_value: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64url")),
    enum_value: color,
    optional_value: text,
    timestamp,
    duration,
    field_mask: fc.constantFrom("", "fooBar", "a,b.cD"),
    struct,
    value: json,
    list: fc.array(json, { maxLength: 3 }),
    empty: fc.constant({}),
    bool_value_wrapper: fc.option(fc.boolean()),
    int64_value_wrapper: int64.map(String),
    nested,
    oneof_string_value: text,
    enum_list: fc.array(color, { maxLength: 3 }),
    string_list: fc.array(text, { maxLength: 3 }),
    nested_list: fc.array(nested, { maxLength: 3 }),
    struct_list: fc.array(struct, { maxLength: 3 }),
    value_list: fc.array(json, { maxLength: 3 }),
    wrapper_list: fc.array(int64.map(String), { maxLength: 3 }),
    string_map: fc
      .dictionary(fc.string(), text, { maxKeys: 3, noNullPrototype: true })
      .filter((map) => !Object.hasOwn(map, "__proto__")),
    int64_map: fc.dictionary(int64.map(String), int32, { maxKeys: 3, noNullPrototype: true }),
    bool_map: fc.dictionary(fc.constantFrom("true", "false"), color, { noNullPrototype: true }),
    nested_map: fc.dictionary(fc.constantFrom("a", "b"), nested, { noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Whatever JSON.parse can answer, often with the names of a message's fields. */
export function anyJson(desc: DescMessage): fc.Arbitrary<unknown> {
  const names = desc.fields.flatMap(({ name, jsonName }) => [name, jsonName]);
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        -1,
        1.5,
        2 ** 53,
        Number.POSITIVE_INFINITY,
        "",
        "1",
        "RED",
        "1h",
        "\ud800",
        "__proto__",
      ),
      fc.string(),
      fc.double(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...names, "__proto__", "double_value"), fc.string()), tie("value"), {
        maxKeys: 4,
      }),
      everythingJson,
    ),
  }));
  return value;
}
