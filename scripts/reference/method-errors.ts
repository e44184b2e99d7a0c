import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { Permission, permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import type { Reason } from "../../src/errors.js";

/** Of every call, whatever it does. CANCELLED is not here: whoever it is for has gone away. */
const COMMON: readonly Reason[] = ["INVALID_ARGUMENT", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"];
const WITH_PERMISSION: readonly Reason[] = ["UNAUTHENTICATED", "FORBIDDEN"];

/** What a method adds to them: the reasons that its use case in src/domain/ and its handler throw. */
const OWN: Readonly<Record<string, readonly Reason[]>> = {
  AdminIssueApiKey: [],
  AdminGetIssuedApiKey: ["API_KEY_NOT_FOUND"],
  AdminListIssuedApiKeys: ["INVALID_FILTER", "INVALID_PAGE_TOKEN"],
  AdminUpdateIssuedApiKey: ["INVALID_UPDATE_MASK", "API_KEY_NOT_FOUND", "KEY_NOT_ACTIVE", "CONCURRENT_CHANGE"],
  AdminRotateIssuedApiKey: ["INVALID_UPDATE_MASK", "API_KEY_NOT_FOUND", "KEY_NOT_ACTIVE", "CONCURRENT_CHANGE"],
  AdminImportApiKey: ["API_KEY_EXISTS", "CONCURRENT_CHANGE"],
  AdminBatchImportApiKeys: ["API_KEY_EXISTS", "CONCURRENT_CHANGE"],
  AdminGetImportedApiKey: ["API_KEY_NOT_FOUND"],
  AdminListImportedApiKeys: ["INVALID_FILTER", "INVALID_PAGE_TOKEN"],
  AdminUpdateImportedApiKey: ["INVALID_UPDATE_MASK", "API_KEY_NOT_FOUND", "KEY_NOT_ACTIVE", "CONCURRENT_CHANGE"],
  AdminDeleteImportedApiKey: ["API_KEY_NOT_FOUND", "CONCURRENT_CHANGE"],
  AdminRevokeApiKey: ["API_KEY_NOT_FOUND", "CONCURRENT_CHANGE"],
  AdminVerifyApiKey: ["CREDENTIAL_REQUIRED"],
  AdminBatchVerifyApiKeys: [],
  AdminDeriveToken: [
    "CREDENTIAL_REQUIRED",
    "PARENT_KEY_INVALID",
    "SIGNATURE_INVALID",
    "SCOPE_NOT_ALLOWED",
    "IP_NOT_ALLOWED",
  ],
  GetJwks: [],
  RevokeApiKey: [
    "CREDENTIAL_REQUIRED",
    "DERIVED_TOKEN_NOT_REVOCABLE",
    "API_KEY_NOT_FOUND",
    "CONCURRENT_CHANGE",
    "RATE_LIMITED",
  ],
};

/** Why a call of the method can fail, over any protocol. Throws for a method that the table above does not have. */
export function methodErrors(method: DescMethod): readonly Reason[] {
  const own = OWN[method.name];
  if (own === undefined) throw new Error(`scripts/reference/method-errors.ts does not have ${method.name}`);
  const isPublic = getOption(method, permission) === Permission.PUBLIC;
  return [...COMMON, ...(isPublic ? [] : WITH_PERMISSION), "PAYLOAD_TOO_LARGE", ...own];
}
