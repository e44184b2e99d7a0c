import { getOption } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { Validator } from "@seriousme/openapi-schema-validator";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { Permission, permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { parseKeyId } from "../../src/credentials/key-id.js";
import { isCidr } from "../../src/domain/ip-allowlist.js";
import { parseDuration } from "../../src/rest/duration.js";
import { readHttpRules } from "../../src/rest/http-rules.js";
import { compileSchema, document, findUndocumented, operations } from "./openapi-document.js";

const bindings = readHttpRules(ApiKeysService);

function findOperation(id: string) {
  const found = operations.find(({ operation }) => operation.operationId === id);
  if (found === undefined) throw new Error(`there is no operation ${id}`);
  return found;
}

/** A validator of the body of requests. */
function bodyOf(id: string) {
  const schema = findOperation(id).operation.requestBody?.content["application/json"]?.schema;
  if (schema === undefined) throw new Error(`${id} has no body`);
  return compileSchema(schema);
}

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1, by a validator of other authors", async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document) as Record<string, unknown>)).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  test("is found invalid with a mistake in it", async () => {
    const { info: _, ...rest } = structuredClone(document) as Record<string, unknown>;
    expect(await new Validator().validate(rest)).toMatchObject({ valid: false });
  });

  test.each(Object.entries(document.components.schemas))("%s is a JSON Schema", (_name, schema) => {
    expect(() => compileSchema(schema as Record<string, unknown>)).not.toThrow();
  });

  test("has every HTTP rule of the protos, and no other operation", () => {
    const expected = bindings.map(({ httpMethod, template }) => {
      const path = template.text.replaceAll(
        /\{(?:\w+\.)?(\w+)(?:=(\w+))?\}/g,
        (_, name, literal) => literal ?? `{${name}}`,
      );
      return `${httpMethod} ${path}`;
    });
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(expected.sort());
  });

  test("names each operation once, the first of an RPC for the RPC", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/\d$/.test(id)).sort()).toEqual(ApiKeysService.methods.map(({ name }) => name).sort());
  });

  test.each(ApiKeysService.methods.map((method) => [method.name, method] as const))(
    "%s asks for a token when it needs one",
    (name, method) => {
      const { security, responses } = findOperation(name).operation;
      const isPublic = getOption(method, permission) === Permission.PUBLIC;
      expect(security).toEqual(isPublic ? [] : [{ bearer: [] }]);
      expect(["401" in responses, "403" in responses]).toEqual([!isPublic, !isPublic]);
    },
  );

  test("tells the statuses of a method from its reasons", () => {
    const statusesOf = (id: string) => Object.keys(findOperation(id).operation.responses).map(Number);
    expect(statusesOf("AdminGetIssuedApiKey")).toEqual([200, 400, 401, 403, 404, 431, 500, 503, 504]);
    expect(statusesOf("AdminRotateIssuedApiKey")).toEqual([201, 400, 401, 403, 404, 409, 413, 415, 431, 500, 503, 504]);
    expect(statusesOf("RevokeApiKey")).toEqual([200, 400, 404, 409, 413, 415, 429, 431, 500, 503, 504]);
    expect(statusesOf("GetJwks")).toEqual([200, 304, 400, 431, 500, 503, 504]);
  });

  test("reads what is said in the path from nowhere else", () => {
    const { parameters, requestBody } = findOperation("AdminRevokeApiKey2").operation;
    expect(parameters?.map(({ name, in: place }) => [name, place])).toEqual([["key_id", "path"]]);
    expect(requestBody?.required).toBe(false);
    expect(Object.keys(bodyOf("AdminRevokeApiKey2").schema as object)).toContain("properties");
    const valid = (id: string, body: unknown) => bodyOf(id)(body);
    expect([valid("AdminRevokeApiKey", { collection: "" }), valid("AdminRevokeApiKey2", { collection: "" })]).toEqual([
      true,
      false,
    ]);
  });
});

describe("its request bodies", () => {
  const KEY = { name: "a", actor_id: "b" };

  test.each([
    ["AdminIssueApiKey", KEY],
    ["AdminIssueApiKey", { ...KEY, ttl: "1h30m", metadata: { a: [1, null] }, visibility: "KEY_VISIBILITY_SECRET" }],
    ["AdminIssueApiKey", { ...KEY, name: "🔑".repeat(255), scopes: ["read"], request_id: "r".repeat(36) }],
    ["AdminIssueApiKey", { ...KEY, rate_limit_policy: { quota: "10", window: "1m" } }],
    ["AdminIssueApiKey", { ...KEY, rate_limit_policy: { quota: 10, window: "1m", unit: "requests" } }],
    ["AdminImportApiKey", { ...KEY, raw_key: "r", visibility: "KEY_VISIBILITY_SECRET" }],
    ["AdminRevokeApiKey", { collection: "issuedApiKeys", reason: "REVOCATION_REASON_PRIVILEGE_WITHDRAWN" }],
    ["AdminVerifyApiKey", { credential: "a", client_ip: "2001:db8::1" }],
    ["AdminVerifyApiKey", { credential: "a", client_ip: "" }],
    ["RevokeApiKey", { credential: "a", reason: "REVOCATION_REASON_KEY_COMPROMISE" }],
    ["AdminUpdateIssuedApiKey", {}],
    ["AdminUpdateIssuedApiKey", { scopes: [], status: "KEY_STATUS_ACTIVE", create_time: "2030-01-31T12:00:00Z" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: { scopes: [] }, update_mask: "scopes,name" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: {}, update_mask: "*" }],
    ["AdminRotateIssuedApiKey", {}],
    ["AdminRotateIssuedApiKey", { update_mask: "visibility", visibility: "KEY_VISIBILITY_SECRET" }],
    ["AdminBatchVerifyApiKeys", { requests: [{ credential: "a" }] }],
  ])("of %s can be %j", (id, body) => {
    const validate = bodyOf(id);
    expect([validate(body), validate.errors ?? []]).toEqual([true, []]);
  });

  test.each([
    ["AdminIssueApiKey", { name: "a" }],
    ["AdminIssueApiKey", { ...KEY, actorId: "b" }],
    ["AdminIssueApiKey", { ...KEY, name: "" }],
    ["AdminIssueApiKey", { ...KEY, name: "n".repeat(256) }],
    ["AdminIssueApiKey", { ...KEY, scopes: ["a b"] }],
    ["AdminIssueApiKey", { ...KEY, scopes: Array(129).fill("a") }],
    ["AdminIssueApiKey", { ...KEY, ttl: 60 }],
    ["AdminIssueApiKey", { ...KEY, ttl: "1 h" }],
    ["AdminIssueApiKey", { ...KEY, visibility: "PUBLIC" }],
    ["AdminIssueApiKey", { ...KEY, metadata: [] }],
    ["AdminIssueApiKey", { ...KEY, rate_limit_policy: { quota: "0", window: "1m" } }],
    ["AdminIssueApiKey", { ...KEY, rate_limit_policy: { quota: 1 } }],
    ["AdminIssueApiKey", { ...KEY, ip_restriction: { allowed_cidrs: ["10.0.0.0"] } }],
    ["AdminImportApiKey", { ...KEY, raw_key: "r", visibility: "KEY_VISIBILITY_PUBLIC" }],
    ["AdminRevokeApiKey", { collection: "apiKeys" }],
    ["AdminVerifyApiKey", { credential: "a", client_ip: "localhost" }],
    ["RevokeApiKey", { credential: "a", reason: "REVOCATION_REASON_PRIVILEGE_WITHDRAWN" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: {}, name: "a" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: {}, update_mask: "name,actor_id" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: {}, update_mask: "*,name" }],
    ["AdminUpdateIssuedApiKey", { issued_api_key: {}, update_mask: "visibility" }],
    ["AdminUpdateIssuedApiKey", { name: "" }],
    ["AdminRotateIssuedApiKey", { key_id: "a" }],
    ["AdminBatchVerifyApiKeys", { requests: [] }],
    ["AdminBatchVerifyApiKeys", { requests: Array(101).fill({ credential: "a" }) }],
  ])("of %s cannot be %j", (id, body) => {
    expect(bodyOf(id)(body)).toBe(false);
  });

  test.each([
    "0",
    "1s",
    "+1.5h",
    "-3s",
    "1h30m",
    "500ms",
    "1y6mo",
    "2w3d",
    "1us",
    "1µs",
    "1μs",
    "1ns",
    "1",
    "",
    "s",
    "1 s",
    "1.s",
    ".5s",
    "1x",
    "1h30",
    "--1s",
  ])("take the duration %j as the service does", (ttl) => {
    expect(bodyOf("AdminIssueApiKey")({ ...KEY, ttl })).toBe("value" in parseDuration(ttl));
  });

  test.each(["10.0.0.0/8", "2001:db8::/32", "::/0", "10.0.0.0", "10.0.0.0/08", "a/", "fe80::1%eth0/64"])(
    "take the network %j as the service does",
    (cidr) => {
      expect(bodyOf("AdminIssueApiKey")({ ...KEY, ip_restriction: { allowed_cidrs: [cidr] } })).toBe(isCidr(cidr));
    },
  );
});

const UUID = "0191e7c4-7f3a-7bcd-8123-456789abcdef";

test.each([UUID, UUID.toUpperCase(), "0f".repeat(32), "0F".repeat(32), `${UUID}0`, "0f", `${UUID} `, ""])(
  "every key_id in a path takes %j as the service does",
  (keyId) => {
    const schemas = operations
      .flatMap(({ operation }) => operation.parameters ?? [])
      .filter(({ name }) => name === "key_id");
    expect(schemas).toHaveLength(9);
    const expected = parseKeyId(keyId) !== undefined;
    expect(schemas.map(({ schema }) => compileSchema(schema)(keyId))).toEqual(schemas.map(() => expected));
  },
);

/** What the checks of answers in test/e2e/ rest on. */
test("an answer that is not documented is found", () => {
  expect(findUndocumented("GetJwks", 200, { keys: [], jwks: { keys: [{}] } })).toEqual([]);
  expect(findUndocumented("GetJwks", 200, { keys: [] })).toEqual([]);
  expect(findUndocumented("GetJwks", 200, { jwks: { keys: [] } })).toEqual([
    "GetJwks 200:  must have required property 'keys'",
  ]);
  expect(findUndocumented("GetJwks", 409, {})).toEqual(["GetJwks 409 is not documented"]);
});
