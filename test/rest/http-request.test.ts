import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { compileHttpRequest, type HttpRequest } from "../../src/rest/http-request.js";
import { type HttpBinding, readHttpRules } from "../../src/rest/http-rules.js";
import { compileJsonDecoder } from "../../src/rest/json-decode.js";
import { compileBinding } from "../../src/rest/request-binding.js";
import { createRouter } from "../../src/rest/router.js";
import { caught, invalid } from "./caught.js";

const rules = readHttpRules(ApiKeysService);
const router = createRouter(
  rules.map((binding) => ({ httpMethod: binding.httpMethod, template: binding.template, target: binding })),
);

function bindingOf(method: string): HttpBinding {
  const binding = rules.find((rule) => rule.method.name === method);
  if (binding === undefined) throw new Error(`no rule of ${method}`);
  return binding;
}

function requestOf(method: string, json: JsonObject): HttpRequest {
  return compileHttpRequest(bindingOf(method))(json);
}

test.each<[string, JsonObject, string, string, unknown]>([
  ["AdminIssueApiKey", { name: "a", ttl: "1d" }, "POST", "/v2alpha1/admin/issuedApiKeys", { name: "a", ttl: "1d" }],
  [
    "AdminGetIssuedApiKey",
    { key_id: "a/b?c%:ä" },
    "GET",
    "/v2alpha1/admin/issuedApiKeys/a%2Fb%3Fc%25%3A%C3%A4",
    undefined,
  ],
  ["AdminListIssuedApiKeys", {}, "GET", "/v2alpha1/admin/issuedApiKeys", undefined],
  [
    "AdminListImportedApiKeys",
    { page_size: 2, filter: 'name = "a b&c"' },
    "GET",
    "/v2alpha1/admin/importedApiKeys?page_size=2&filter=name+%3D+%22a+b%26c%22",
    undefined,
  ],
  [
    "AdminUpdateIssuedApiKey",
    { issued_api_key: { key_id: "k", name: "b" }, update_mask: "name,scopes" },
    "PATCH",
    "/v2alpha1/admin/issuedApiKeys/k?update_mask=name%2Cscopes",
    { name: "b" },
  ],
  [
    "AdminRotateIssuedApiKey",
    { key_id: "k", scopes: [], update_mask: "scopes" },
    "POST",
    "/v2alpha1/admin/issuedApiKeys/k:rotate",
    { scopes: [], update_mask: "scopes" },
  ],
  ["AdminRevokeApiKey", { key_id: "k" }, "POST", "/v2alpha1/admin/apiKeys/k:revoke", {}],
  ["GetJwks", {}, "GET", "/v2alpha1/derivedKeys/jwks.json", undefined],
])("%s %j", (method, json, httpMethod, target, body) => {
  const before = structuredClone(json);
  const request = requestOf(method, json);
  expect({ ...request, body: request.body && JSON.parse(request.body) }).toEqual({ httpMethod, target, body });
  expect(json).toEqual(before);
});

/** A request of every method, with what makes each of them special. */
const REQUESTS: Readonly<Record<string, JsonObject>> = {
  AdminIssueApiKey: { name: "a", actor_id: "b", scopes: ["x"], metadata: { a: { b: [1, null] } }, ttl: "1h30m" },
  AdminGetIssuedApiKey: { key_id: "%2F ä/:x" },
  AdminListIssuedApiKeys: { page_size: 7, page_token: "a+b=&", filter: "a = 'ä' AND b:*" },
  AdminUpdateIssuedApiKey: { issued_api_key: { key_id: "a", scopes: [] }, update_mask: "scopes,metadata" },
  AdminRotateIssuedApiKey: { key_id: "a", name: "", update_mask: "name", grace_period: "1d", request_id: "r" },
  AdminImportApiKey: { raw_key: "ä\n", name: "a", actor_id: "b", rate_limit_policy: { quota: "5", window: "1s" } },
  AdminBatchImportApiKeys: { requests: [{ raw_key: "a" }, { raw_key: "b" }] },
  AdminGetImportedApiKey: { key_id: "b" },
  AdminListImportedApiKeys: { page_size: 1 },
  AdminUpdateImportedApiKey: { imported_api_key: { key_id: "b", name: "n" }, update_mask: "name" },
  AdminDeleteImportedApiKey: { key_id: "b" },
  AdminRevokeApiKey: { key_id: "b", reason: "REVOCATION_REASON_SUPERSEDED", collection: "issuedApiKeys" },
  AdminVerifyApiKey: { credential: "c", client_ip: "10.0.0.1" },
  AdminBatchVerifyApiKeys: { requests: [{ credential: "c" }] },
  AdminDeriveToken: { credential: "c", custom_claims: { a: 1 }, algorithm: "TOKEN_ALGORITHM_JWT" },
  GetJwks: {},
  RevokeApiKey: { credential: "c" },
};

test("every method has a request here", () => {
  expect(Object.keys(REQUESTS).sort()).toEqual(ApiKeysService.methods.map(({ name }) => name).sort());
});

test.each(Object.entries(REQUESTS))("the server reads what %s says", (method, json) => {
  const { httpMethod, target, body } = requestOf(method, json);
  const [path = "", query = ""] = target.split("?");
  const match = router.match(httpMethod, path);
  if (match?.kind !== "route") throw new Error(`${httpMethod} ${path} is no route`);
  expect(match.target.method.name).toBe(method);
  const read = compileBinding(match.target)({
    variables: match.variables,
    query,
    body: body === undefined ? undefined : new TextEncoder().encode(body),
  });
  expect(read).toEqual(compileJsonDecoder(bindingOf(method).method.input)(json));
});

describe("a value that would make another path of it is refused", () => {
  test.each([
    ["", "is required"],
    [".", "must not be . or .."],
    ["..", "must not be . or .."],
  ])("%j", (keyId, problem) => {
    expect(caught(() => requestOf("AdminGetIssuedApiKey", { key_id: keyId }))).toEqual(invalid(`key_id: ${problem}`));
    const issued_api_key = { key_id: keyId };
    expect(caught(() => requestOf("AdminUpdateIssuedApiKey", { issued_api_key }))).toEqual(
      invalid(`issued_api_key.key_id: ${problem}`),
    );
  });
});
