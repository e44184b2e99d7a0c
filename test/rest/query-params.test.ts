import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readHttpRules } from "../../src/rest/http-rules.js";
import { compileBinding } from "../../src/rest/request-binding.js";
import { caught, invalid } from "./caught.js";
import { everything, makeSchema } from "./schema.js";
import { vectors } from "./vectors.js";

const schema = makeSchema(everything, {
  Get: { input: "Everything", rule: { pattern: { case: "get", value: "/a/{optional_value}" } } },
});
const [binding] = readHttpRules(schema.service);
if (!binding) throw new Error("no binding");
const bind = compileBinding(binding);
const ask = (query: string, alwaysEmitImplicit = false): unknown => {
  const message = bind({ variables: ["x"], query, body: undefined });
  return toJson(schema.message("Everything"), message, { useProtoFieldName: true, alwaysEmitImplicit });
};
const refuse = (query: string): unknown => caught(() => ask(query));

/** The value at a dotted path. */
function at(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], json);
}

describe("vectors", () => {
  const sent = ({ field, value }: { field: string; value: string }): string => `${field}=${encodeURIComponent(value)}`;

  test("there are vectors", () => {
    expect(vectors.query).toHaveLength(33);
  });

  test.each(vectors.query.filter(({ ok }) => ok))("$field ($type) = $value", (vector) => {
    const json = ask(sent(vector), true);
    // The vector's enum has the value 1 by that name; ours has RED. Two records give the whole message, or nothing.
    if (vector.value === "1") expect([at(json, vector.field)].flat()).toEqual(["RED"]);
    else if (vector.field.includes(".")) expect(at(json, vector.field)).toBe(Number(vector.value));
    else expect(at(json, vector.field)).toEqual(vector.json);
  });

  test.each(vectors.query.filter(({ ok }) => !ok))("refuses $field ($type) = $value", (vector) => {
    expect(refuse(sent(vector))).toMatchObject({
      reason: "INVALID_ARGUMENT",
      message: expect.stringContaining(`${vector.field}: `),
    });
  });
});

describe("match vectors with a query", () => {
  const { service } = makeSchema(
    { Request: { x: "string", y: "string", z: "string", t: "string" } },
    { Call: { input: "Request", rule: { pattern: { case: "get", value: "/a" } } } },
  );
  const [rule] = readHttpRules(service);
  if (!rule) throw new Error("no rule");
  const bindAll = compileBinding(rule);
  const asked = vectors.match.filter(({ query }) => query !== undefined);

  test("there are vectors", () => {
    expect(asked).toHaveLength(9);
  });

  test.each(asked)("$path?$query $options", ({ query = "", bindings = {}, options }) => {
    const call = (): unknown => toJson(rule.method.input, bindAll({ variables: [], query, body: undefined }));
    if (options?.system_params !== undefined) {
      // ESP sets such names aside. We have no system parameters, and a credential does not belong in a URL.
      expect(caught(call)?.message).toMatch(/^(api_)?key: unknown query parameter$/);
      return;
    }
    // By default ESP leaves a plus as it is; in a form, which is what a query is to browsers and most clients, it is a space.
    const isPlusKept = query.includes("+") && options?.query_param_unescape_plus === undefined;
    const expected = Object.entries(bindings).filter(([name]) =>
      query.split("&").some((part) => part.startsWith(`${name}=`)),
    );
    expect(call()).toEqual(isPlusKept ? { x: "Hello world", y: "+  " } : Object.fromEntries(expected));
  });
});

describe("accepts", () => {
  test.each<[string, object]>([
    ["", {}],
    ["&&", {}],
    ["string_value=a+b%2Bc", { string_value: "a b+c" }],
    ["stringValue=a%3Db=c", { string_value: "a=b=c" }],
    ["string_value", {}],
    ["oneof_string_value=", { oneof_string_value: "" }],
    ["string_list=a&stringList=b&string_list=", { string_list: ["a", "b", ""] }],
    ["nested.double_value=1&nested.camelCaseName=x", { nested: { double_value: 1, camel_case_name: "x" } }],
    ["recursive.recursive.bool_value=true", { recursive: { recursive: { bool_value: true } } }],
    [
      "oneof_nested.double_value=1&oneof_nested.camel_case_name=x",
      { oneof_nested: { double_value: 1, camel_case_name: "x" } },
    ],
    ["enum_value=RED&enum_list=1&enum_list=ENUM_VALUE", { enum_value: "RED", enum_list: ["RED", "ENUM_VALUE"] }],
    ["bool_value_wrapper=false", { bool_value_wrapper: false }],
    ["wrapper_list=1&wrapper_list=2", { wrapper_list: ["1", "2"] }],
    ["duration=1d", { duration: "86400s" }],
    ["%73tring_value=%E4%B8%96", { string_value: "世" }],
  ])("%s", (query, json) => {
    expect(ask(query)).toEqual({ ...json, optional_value: "x" });
  });
});

describe("refuses", () => {
  test.each([
    ["nope=1", "nope: unknown query parameter"],
    ["nested.nope=1", "nested.nope: unknown query parameter"],
    ["string_value.x=1", "string_value.x: unknown query parameter"],
    [".string_value=1", ".string_value: unknown query parameter"],
    ["=1", "(a name of 0 characters): unknown query parameter"],
    ["__proto__=1&constructor.name=1", "__proto__: unknown query parameter; constructor.name: unknown query parameter"],
    ["nested=1", "nested: cannot be set in a query"],
    ["struct=%7B%7D", "struct: cannot be set in a query"],
    ["value=1", "value: cannot be set in a query"],
    ["empty=", "empty: cannot be set in a query"],
    ["string_map=a", "string_map: cannot be set in a query"],
    ["string_map.a=b", "string_map.a: unknown query parameter"],
    ["nested_list=a", "nested_list: cannot be set in a query"],
    ["nested_list.double_value=1", "nested_list.double_value: unknown query parameter"],
    ["string_value=a&stringValue=b", "string_value: given twice"],
    ["nested.double_value=1&nested.double_value=1", "nested.double_value: given twice"],
    [
      "oneof_string_value=a&oneof_double_value=1",
      "oneof_double_value: only one of oneof_double_value, oneof_string_value, oneof_nested, oneof_wrapper can be given",
    ],
    ["optional_value=y", "optional_value: is set by the path"],
    ["optionalValue=y", "optional_value: is set by the path"],
    ["int32_value=", "int32_value: expected an integer from -2147483648 to 2147483647, got a string that is not one"],
    [
      "int32_value=1.0",
      "int32_value: expected an integer from -2147483648 to 2147483647, got a string that is not one",
    ],
    ["bool_value=1", "bool_value: expected true or false, got another text"],
    ["enum_value=2147483648", "enum_value: expected one of COLOR_UNSPECIFIED, RED, ENUM_VALUE, got an unknown number"],
    ["double_value=+1", "double_value: expected a number, got a string that is not one"],
    ["string_value=%", "query: malformed percent-encoding, or not UTF-8"],
    ["string_value=%ff", "query: malformed percent-encoding, or not UTF-8"],
    ["string_value=é", "query: characters outside ASCII must be percent-encoded"],
    [
      "int32_value=a&nope=1",
      "int32_value: expected an integer from -2147483648 to 2147483647, got a string that is not one; nope: unknown query parameter",
    ],
  ])("%s", (query, message) => {
    expect(refuse(query)).toEqual(invalid(message));
  });
});

describe("properties", () => {
  test("any query is a message or INVALID_ARGUMENT", () => {
    const name = fc.constantFrom(...schema.message("Everything").fields.map((field) => field.name));
    const piece = fc.oneof(
      name,
      fc.constantFrom("=", "&", ".", "+", "%", "%41", "1", "true", "RED", "double_value"),
      fc.string(),
    );
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        outcomes.add(caught(() => ask(pieces.join("")))?.reason ?? "message");
      }),
      { seed: 12, numRuns: 5_000 },
    );
    expect([...outcomes].sort()).toEqual(["INVALID_ARGUMENT", "message"]);
  });

  test("a text is what encodeURIComponent and URLSearchParams made the query of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const expected = text === "" ? { optional_value: "x" } : { string_value: text, optional_value: "x" };
        expect(ask(`string_value=${encodeURIComponent(text)}`)).toEqual(expected);
        expect(ask(new URLSearchParams({ string_value: text }).toString())).toEqual(expected);
      }),
      { seed: 13 },
    );
  });
});
