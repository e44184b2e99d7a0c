import { type DescField, type DescMessage, getOption } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { maskable } from "../../gen/latchkey/v2alpha1/options_pb.js";
import type { JsonSchema } from "./json-schema.js";

/** As `src/credentials/key-id.ts` reads it. */
const KEY_ID: JsonSchema = {
  pattern: "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9a-f]{64})$",
};
const TEXT: JsonSchema = { minLength: 1, maxLength: 255 };

/**
 * What the handlers and the domain refuse besides a wrong type, by the field's name, or by message and field where they
 * differ. What JSON Schema cannot say, such as a size in bytes, is said as far as it can: no value that is accepted is refused.
 */
const LIMITS: Readonly<Record<string, JsonSchema>> = {
  key_id: KEY_ID,
  name: { ...TEXT, examples: ["nightly export"] },
  actor_id: { ...TEXT, examples: ["service:export"] },
  scopes: {
    maxItems: 128,
    items: { ...TEXT, pattern: "^[^\\s\\u0000-\\u001f\\u007f-\\u009f]+$", examples: ["orders:read"] },
  },
  raw_key: { minLength: 1, maxLength: 8192, examples: ["legacy-1f7d0c52"] },
  credential: { minLength: 1, maxLength: 16384 },
  request_id: { maxLength: 36 },
  description: { maxLength: 255 },
  filter: { maxLength: 4096, examples: ['actor_id="service:export" AND status=KEY_STATUS_ACTIVE'] },
  page_size: { minimum: 0 },
  allowed_cidrs: {
    maxItems: 128,
    items: { pattern: "^[0-9A-Fa-f:.]{2,45}/(0|[1-9][0-9]{0,2})$", examples: ["10.0.0.0/8"] },
  },
  quota: {
    oneOf: [
      { type: "string", format: "int64", maxLength: 20, pattern: "^0*[1-9][0-9]*$" },
      { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    ],
  },
  client_ip: { pattern: "^([0-9A-Fa-f:.]{2,45}(%.*)?)?$" },
  collection: { enum: ["", "issuedApiKeys", "importedApiKeys"] },
  unit: { enum: ["", "requests", "content-bytes", "concurrent-requests"] },
  "AdminImportApiKeyRequest.visibility": { not: { const: "KEY_VISIBILITY_PUBLIC" } },
  "RevokeApiKeyRequest.reason": { not: { const: "REVOCATION_REASON_PRIVILEGE_WITHDRAWN" } },
  "AdminBatchImportApiKeysRequest.requests": { minItems: 1, maxItems: 1000 },
  "AdminBatchVerifyApiKeysRequest.requests": { minItems: 1, maxItems: 100 },
};

/** What a resource holds of these is not looked at when it is sent. */
const NOT_READ: readonly FieldBehavior[] = [
  FieldBehavior.OUTPUT_ONLY,
  FieldBehavior.IMMUTABLE,
  FieldBehavior.IDENTIFIER,
];

/** Limits of a field in a request's body, to be merged into its schema; empty when there are none. */
export function bodyLimits(field: DescField): JsonSchema {
  return getOption(field, field_behavior).some((behavior) => NOT_READ.includes(behavior)) ? {} : parameterLimits(field);
}

/** The same in a path or query, where everything is read. */
export function parameterLimits(field: DescField): JsonSchema {
  if (field.message?.typeName === FieldMaskSchema.typeName) return maskLimits(field.parent);
  return LIMITS[`${field.parent.name}.${field.name}`] ?? LIMITS[field.name] ?? {};
}

/** A mask names fields of the request, or of the resource in it, or all of them. */
function maskLimits(request: DescMessage): JsonSchema {
  const candidates = [request, ...request.fields.flatMap(({ message }) => message ?? [])];
  const names = candidates
    .map(({ fields }) => fields.filter((field) => getOption(field, maskable)).map(({ name }) => name))
    .find(({ length }) => length > 0);
  if (names === undefined) throw new Error(`${request} has a mask, and no field that it could name`);
  const one = `(${names.join("|")})`;
  return { pattern: `^(\\*|${one}(,${one})*)?$`, examples: [names.slice(0, 2).join(",")] };
}
