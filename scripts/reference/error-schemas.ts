import type { CataloguedError } from "./error-catalogue.js";
import type { JsonSchema } from "./json-schema.js";

/** The envelope of AIP-193 as `src/server/error-map.ts` writes it, and what stands in its details. */
export function errorSchemas(catalogue: readonly CataloguedError[]): JsonSchema {
  const schemas: Readonly<Record<string, JsonSchema>> = {
    Error: {
      type: "object",
      description: "What every error is answered with (AIP-193).",
      properties: {
        error: {
          type: "object",
          properties: {
            code: { type: "integer", description: "The HTTP status." },
            status: {
              type: "string",
              description: "The code of google.rpc.Code.",
              enum: [...new Set(catalogue.map(({ code }) => code))],
            },
            message: { type: "string", description: "For people. Not stable." },
            details: {
              type: "array",
              description: "Always an ErrorInfo; also a BadRequest, where fields are at fault.",
              minItems: 1,
              items: {
                oneOf: [{ $ref: "#/components/schemas/ErrorInfo" }, { $ref: "#/components/schemas/BadRequest" }],
              },
            },
          },
          required: ["code", "status", "message", "details"],
        },
      },
      required: ["error"],
    },
    ErrorInfo: {
      type: "object",
      description: "Why the call failed, for programs: google.rpc.ErrorInfo.",
      properties: {
        "@type": { const: "type.googleapis.com/google.rpc.ErrorInfo" },
        reason: { type: "string", description: "Stable.", enum: catalogue.map(({ reason }) => reason) },
        domain: { const: "latchkey" },
        metadata: { type: "object", description: "Facts of the error.", additionalProperties: { type: "string" } },
      },
      required: ["@type", "reason", "domain"],
    },
    BadRequest: {
      type: "object",
      description: "The fields at fault: google.rpc.BadRequest.",
      properties: {
        "@type": { const: "type.googleapis.com/google.rpc.BadRequest" },
        field_violations: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            properties: {
              field: { type: "string", description: "Its path in the request, such as `requests[3].name`." },
              description: { type: "string", description: "What is wrong with it, for people." },
            },
            required: ["field", "description"],
          },
        },
      },
      required: ["@type", "field_violations"],
    },
  };
  return schemas;
}
