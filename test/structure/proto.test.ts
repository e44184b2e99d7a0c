import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { http } from "../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../gen/google/api/http_pb.js";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { Permission, permission, success_status } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { listFiles, readRepositoryFile } from "./repository.js";

/** DESIGN.md section 2: RPC, permission, success, and its HTTP bindings with the fields that are read from the query. */
const CONTRACT = [
  ["AdminIssueApiKey", "WRITE", 201, "POST /v2alpha1/admin/issuedApiKeys"],
  ["AdminGetIssuedApiKey", "READ", 200, "GET /v2alpha1/admin/issuedApiKeys/{key_id}"],
  ["AdminListIssuedApiKeys", "READ", 200, "GET /v2alpha1/admin/issuedApiKeys?page_size&page_token&filter"],
  ["AdminUpdateIssuedApiKey", "WRITE", 200, "PATCH /v2alpha1/admin/issuedApiKeys/{issued_api_key.key_id}?update_mask"],
  ["AdminRotateIssuedApiKey", "WRITE", 201, "POST /v2alpha1/admin/issuedApiKeys/{key_id}:rotate"],
  ["AdminImportApiKey", "WRITE", 201, "POST /v2alpha1/admin/importedApiKeys"],
  [
    "AdminBatchImportApiKeys",
    "WRITE",
    200,
    "POST /v2alpha1/admin/importedApiKeys:batchImport",
    "POST /v2alpha1/admin/importedApiKeys:batchCreate",
  ],
  ["AdminGetImportedApiKey", "READ", 200, "GET /v2alpha1/admin/importedApiKeys/{key_id}"],
  ["AdminListImportedApiKeys", "READ", 200, "GET /v2alpha1/admin/importedApiKeys?page_size&page_token&filter"],
  [
    "AdminUpdateImportedApiKey",
    "WRITE",
    200,
    "PATCH /v2alpha1/admin/importedApiKeys/{imported_api_key.key_id}?update_mask",
  ],
  ["AdminDeleteImportedApiKey", "WRITE", 200, "DELETE /v2alpha1/admin/importedApiKeys/{key_id}"],
  [
    "AdminRevokeApiKey",
    "WRITE",
    200,
    "POST /v2alpha1/admin/apiKeys/{key_id}:revoke",
    "POST /v2alpha1/admin/{collection=issuedApiKeys}/{key_id}:revoke",
    "POST /v2alpha1/admin/{collection=importedApiKeys}/{key_id}:revoke",
  ],
  ["AdminVerifyApiKey", "VERIFY", 200, "POST /v2alpha1/admin/apiKeys:verify"],
  ["AdminBatchVerifyApiKeys", "VERIFY", 200, "POST /v2alpha1/admin/apiKeys:batchVerify"],
  ["AdminDeriveToken", "WRITE", 200, "POST /v2alpha1/admin/apiKeys:derive"],
  ["GetJwks", "PUBLIC", 200, "GET /v2alpha1/derivedKeys/jwks.json", "GET /.well-known/jwks.json"],
  ["RevokeApiKey", "PUBLIC", 200, "POST /v2alpha1/apiKeys:selfRevoke"],
];

/** Their result is `{}`. */
const WITHOUT_RESULT = ["AdminDeleteImportedApiKey", "AdminRevokeApiKey", "RevokeApiKey"];

test("the service is the contract's: RPCs, permissions, success statuses, HTTP methods and paths", () => {
  const actual = ApiKeysService.methods.map((method) => {
    const rule = getOption(method, http);
    const status = hasOption(method, success_status) ? getOption(method, success_status) : 200;
    const bindings = [rule, ...rule.additionalBindings].map((binding) => describeBinding(method, binding));
    return [method.name, Permission[getOption(method, permission)], status, ...bindings];
  });
  expect(actual).toEqual(CONTRACT);
});

test("the package and the service have the contract's names", () => {
  expect(ApiKeysService.typeName).toBe("latchkey.v2alpha1.ApiKeysService");
});

test("an empty result is a message without fields", () => {
  const empty = ApiKeysService.methods.filter(({ output }) => output.fields.length === 0).map(({ name }) => name);
  expect(empty).toEqual(WITHOUT_RESULT);
});

test.each(listFiles("proto/"))("everything in %s is documented", (path) => {
  const declaration =
    /^ *(?:(?:service|rpc|message|enum|oneof) \w|(?:repeated |optional |map<)?[\w.<>, ]+ = -?\d+ ?[[;])/;
  const lines = readRepositoryFile(path).split("\n");
  const declarations = lines.flatMap((line, index) => (declaration.test(line) ? [index] : []));
  expect(declarations.length).toBeGreaterThan(5);
  expect(declarations.filter((index) => !/^ *\/\/ \S/.test(lines[index - 1] ?? "")).map((i) => lines[i])).toEqual([]);
});

/** Such as `GET /v1/books?filter`. */
function describeBinding({ input }: DescMethod, { pattern, body }: HttpRule): string {
  const path = pattern.case === "custom" || pattern.case === undefined ? "" : pattern.value;
  const bound = [...path.matchAll(/\{(\w+)/g)].map(([, field]) => field);
  const query = input.fields.map(({ name }) => name).filter((name) => !bound.includes(name) && name !== body);
  const suffix = body === "*" || query.length === 0 ? "" : `?${query.join("&")}`;
  return `${pattern.case?.toUpperCase()} ${path}${suffix}`;
}
