import { describe, expect, test } from "@jest/globals";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { readHttpRules } from "../../src/rest/http-rules.js";
import { compileBinding } from "../../src/rest/request-binding.js";
import { compileResponse } from "../../src/rest/response.js";
import { createRouter } from "../../src/rest/router.js";
import { everything, type Method, makeSchema } from "./schema.js";

test("the service's routes are those of DESIGN.md section 2, and compile", () => {
  const bindings = readHttpRules(ApiKeysService);
  const admin = "/v2alpha1/admin";
  expect(bindings.map(({ method, httpMethod, template }) => `${method.name}: ${httpMethod} ${template.text}`)).toEqual([
    `AdminIssueApiKey: POST ${admin}/issuedApiKeys`,
    `AdminGetIssuedApiKey: GET ${admin}/issuedApiKeys/{key_id}`,
    `AdminListIssuedApiKeys: GET ${admin}/issuedApiKeys`,
    `AdminUpdateIssuedApiKey: PATCH ${admin}/issuedApiKeys/{issued_api_key.key_id}`,
    `AdminRotateIssuedApiKey: POST ${admin}/issuedApiKeys/{key_id}:rotate`,
    `AdminImportApiKey: POST ${admin}/importedApiKeys`,
    `AdminBatchImportApiKeys: POST ${admin}/importedApiKeys:batchImport`,
    `AdminBatchImportApiKeys: POST ${admin}/importedApiKeys:batchCreate`,
    `AdminGetImportedApiKey: GET ${admin}/importedApiKeys/{key_id}`,
    `AdminListImportedApiKeys: GET ${admin}/importedApiKeys`,
    `AdminUpdateImportedApiKey: PATCH ${admin}/importedApiKeys/{imported_api_key.key_id}`,
    `AdminDeleteImportedApiKey: DELETE ${admin}/importedApiKeys/{key_id}`,
    `AdminRevokeApiKey: POST ${admin}/apiKeys/{key_id}:revoke`,
    `AdminRevokeApiKey: POST ${admin}/{collection=issuedApiKeys}/{key_id}:revoke`,
    `AdminRevokeApiKey: POST ${admin}/{collection=importedApiKeys}/{key_id}:revoke`,
    `AdminVerifyApiKey: POST ${admin}/apiKeys:verify`,
    `AdminBatchVerifyApiKeys: POST ${admin}/apiKeys:batchVerify`,
    `AdminDeriveToken: POST ${admin}/apiKeys:derive`,
    "GetJwks: GET /v2alpha1/derivedKeys/jwks.json",
    "GetJwks: GET /.well-known/jwks.json",
    "RevokeApiKey: POST /v2alpha1/apiKeys:selfRevoke",
  ]);
  for (const binding of bindings) {
    expect(compileBinding(binding)).toBeInstanceOf(Function);
    expect(compileResponse(binding)).toBeInstanceOf(Function);
  }
  const router = createRouter(bindings.map((target) => ({ ...target, target: target.method.name })));
  expect(router.match("POST", "/v2alpha1/admin/importedApiKeys/ab:revoke")).toEqual({
    kind: "route",
    target: "AdminRevokeApiKey",
    variables: ["importedApiKeys", "ab"],
  });
  expect(router.match("GET", "/v2alpha1/admin/apiKeys:verify")).toEqual({
    kind: "method_not_allowed",
    allow: ["POST"],
  });
});

const read = (method: Method) => readHttpRules(makeSchema(everything, { Call: method }).service);
const input = "Everything";

test("reads custom methods, bodies and response bodies", () => {
  const rule = {
    pattern: { case: "custom", value: { kind: "HEAD", path: "/a/{nested.double_value}/{timestamp}" } },
    body: "nested",
    responseBody: "string_list",
  } as const;
  expect(read({ input, rule })).toMatchObject([
    {
      httpMethod: "HEAD",
      variables: [[{ name: "nested" }, { name: "double_value" }], [{ name: "timestamp" }]],
      body: { kind: "field", field: { name: "nested" } },
      responseBody: { name: "string_list" },
    },
  ]);
});

test("a method without a rule has no route", () => {
  expect(read({ input })).toEqual([]);
});

describe("start-up errors", () => {
  const get = (path: string, more = {}): Method => ({
    input,
    rule: { pattern: { case: "get", value: path }, ...more },
  });
  const where = "google.api.http of test.Service.Call,";

  test.each<[string, Method, string]>([
    ["unknown field", get("/{nope}"), `${where} "/{nope}": test.Everything has no field nope`],
    ["unknown inner field", get("/{nested.nope}"), `${where} "/{nested.nope}": test.Nested has no field nope`],
    ["a camelCase name", get("/{stringValue}"), `${where} "/{stringValue}": test.Everything has no field stringValue`],
    ["repeated", get("/{string_list}"), `${where} "/{string_list}": string_list is repeated`],
    [
      "through repeated",
      get("/{nested_list.double_value}"),
      `${where} "/{nested_list.double_value}": nested_list is repeated`,
    ],
    ["through a map", get("/{nested_map.key}"), `${where} "/{nested_map.key}": nested_map is repeated`],
    ["a message", get("/{nested}"), `${where} "/{nested}": nested is a message`],
    ["a Struct", get("/{struct}"), `${where} "/{struct}": struct is a message`],
    ["into a scalar", get("/{string_value.x}"), `${where} "/{string_value.x}": string_value has no fields`],
    ["into a timestamp", get("/{timestamp.seconds}"), `${where} "/{timestamp.seconds}": timestamp has no fields`],
    ["unknown body", get("/a", { body: "nope" }), `${where} "/a": test.Everything has no field nope`],
    ["unknown response body", get("/a", { responseBody: "no" }), `${where} "/a": test.Everything has no field no`],
    [
      "in path and body",
      get("/{duration}", { body: "duration" }),
      `${where} "/{duration}": duration is both in the path and the body`,
    ],
    ["streaming", { ...get("/a"), isStreaming: true }, `${where} "/a": streaming methods have no REST form`],
    ["no pattern", { input, rule: {} }, 'google.api.http of test.Service.Call, "": a rule needs an HTTP method'],
    ["bad template", get("a"), `${where} "a": path template: expected '/', found 'a' at column 1\n  a\n  ^`],
    [
      "nested additional bindings",
      get("/a", {
        additionalBindings: [
          { pattern: { case: "get", value: "/b" }, additionalBindings: [{ pattern: { case: "get", value: "/c" } }] },
        ],
      }),
      `${where} "/b": an additional binding cannot have additional bindings`,
    ],
  ])("%s", (_, method, message) => {
    expect(() => read(method)).toThrow(message);
    try {
      read(method);
    } catch (error) {
      expect((error as Error).message).toBe(message);
    }
  });
});

test("google.protobuf.Any is refused when the routes are compiled", () => {
  const schema = makeSchema(
    { Holder: { any: ".google.protobuf.Any" } },
    { Call: { input: "Holder", rule: { pattern: { case: "post", value: "/a" }, body: "*" } } },
  );
  const [binding] = readHttpRules(schema.service);
  expect(binding).toBeDefined();
  if (!binding) return;
  expect(() => compileBinding(binding)).toThrow("google.protobuf.Any cannot be used over REST");
  expect(() => compileResponse(binding)).toThrow("google.protobuf.Any cannot be used over REST");
});
