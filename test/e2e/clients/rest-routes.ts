/**
 * The REST form of every RPC, written by hand from the API's documents (DESIGN.md sections 2 and 3): the independent
 * check of what the server reads off its descriptors.
 */
import type { JsonObject, Rpc } from "./api-client.js";

export interface RestRequest {
  readonly httpMethod: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: JsonObject;
  readonly body?: JsonObject;
}

interface RestRoute {
  /** HTTP status of a success. */
  readonly status: 200 | 201;
  readonly request: (message: JsonObject) => RestRequest;
}

const ADMIN = "/v2alpha1/admin";

const post = (path: string, status: 200 | 201 = 200): RestRoute => ({
  status,
  request: (body) => ({ httpMethod: "POST", path, body }),
});

const ofKey = (httpMethod: "GET" | "DELETE", collection: string): RestRoute => ({
  status: 200,
  request: ({ key_id }) => ({ httpMethod, path: `${ADMIN}/${collection}/${segment(key_id)}` }),
});

const list = (collection: string): RestRoute => ({
  status: 200,
  request: (query) => ({ httpMethod: "GET", path: `${ADMIN}/${collection}`, query }),
});

const update = (collection: string, field: string): RestRoute => ({
  status: 200,
  request: ({ [field]: resource, ...query }) => {
    const { key_id, ...body } = resource as JsonObject;
    return { httpMethod: "PATCH", path: `${ADMIN}/${collection}/${segment(key_id)}`, query, body };
  },
});

export const REST_ROUTES: Readonly<Record<Rpc, RestRoute>> = {
  AdminIssueApiKey: post(`${ADMIN}/issuedApiKeys`, 201),
  AdminGetIssuedApiKey: ofKey("GET", "issuedApiKeys"),
  AdminListIssuedApiKeys: list("issuedApiKeys"),
  AdminUpdateIssuedApiKey: update("issuedApiKeys", "issued_api_key"),
  AdminRotateIssuedApiKey: {
    status: 201,
    request: ({ key_id, ...body }) => ({
      httpMethod: "POST",
      path: `${ADMIN}/issuedApiKeys/${segment(key_id)}:rotate`,
      body,
    }),
  },
  AdminImportApiKey: post(`${ADMIN}/importedApiKeys`, 201),
  AdminBatchImportApiKeys: post(`${ADMIN}/importedApiKeys:batchImport`),
  AdminGetImportedApiKey: ofKey("GET", "importedApiKeys"),
  AdminListImportedApiKeys: list("importedApiKeys"),
  AdminUpdateImportedApiKey: update("importedApiKeys", "imported_api_key"),
  AdminDeleteImportedApiKey: ofKey("DELETE", "importedApiKeys"),
  AdminRevokeApiKey: {
    status: 200,
    request: ({ key_id, collection = "apiKeys", ...body }) => ({
      httpMethod: "POST",
      path: `${ADMIN}/${String(collection)}/${segment(key_id)}:revoke`,
      body,
    }),
  },
  AdminVerifyApiKey: post(`${ADMIN}/apiKeys:verify`),
  AdminBatchVerifyApiKeys: post(`${ADMIN}/apiKeys:batchVerify`),
  AdminDeriveToken: post(`${ADMIN}/apiKeys:derive`),
  GetJwks: { status: 200, request: () => ({ httpMethod: "GET", path: "/v2alpha1/derivedKeys/jwks.json" }) },
  RevokeApiKey: post("/v2alpha1/apiKeys:selfRevoke"),
};

/** HTTP status of each reason, with the code that goes with it. */
export const REST_STATUSES: Readonly<Record<string, readonly [number, string]>> = {
  CREDENTIAL_REQUIRED: [400, "INVALID_ARGUMENT"],
  INVALID_ARGUMENT: [400, "INVALID_ARGUMENT"],
  INVALID_FILTER: [400, "INVALID_ARGUMENT"],
  INVALID_PAGE_TOKEN: [400, "INVALID_ARGUMENT"],
  INVALID_UPDATE_MASK: [400, "INVALID_ARGUMENT"],
  DERIVED_TOKEN_NOT_REVOCABLE: [400, "INVALID_ARGUMENT"],
  UNAUTHENTICATED: [401, "UNAUTHENTICATED"],
  PARENT_KEY_INVALID: [401, "UNAUTHENTICATED"],
  SIGNATURE_INVALID: [401, "UNAUTHENTICATED"],
  FORBIDDEN: [403, "PERMISSION_DENIED"],
  SCOPE_NOT_ALLOWED: [403, "PERMISSION_DENIED"],
  IP_NOT_ALLOWED: [403, "PERMISSION_DENIED"],
  API_KEY_NOT_FOUND: [404, "NOT_FOUND"],
  ROUTE_NOT_FOUND: [404, "NOT_FOUND"],
  METHOD_NOT_ALLOWED: [405, "UNIMPLEMENTED"],
  API_KEY_EXISTS: [409, "ALREADY_EXISTS"],
  KEY_NOT_ACTIVE: [409, "FAILED_PRECONDITION"],
  CONCURRENT_CHANGE: [409, "ABORTED"],
  PAYLOAD_TOO_LARGE: [413, "RESOURCE_EXHAUSTED"],
  UNSUPPORTED_MEDIA_TYPE: [415, "INVALID_ARGUMENT"],
  RATE_LIMITED: [429, "RESOURCE_EXHAUSTED"],
  UNIMPLEMENTED: [501, "UNIMPLEMENTED"],
  UNAVAILABLE: [503, "UNAVAILABLE"],
  DEADLINE_EXCEEDED: [504, "DEADLINE_EXCEEDED"],
};

function segment(keyId: unknown): string {
  return encodeURIComponent(String(keyId));
}
