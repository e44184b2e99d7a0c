import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApi } from "../../gen/openapi.js";
import { parseTimestamp } from "../../src/rest/timestamp.js";

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Json }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly $ref: string } | { readonly content?: Content }>>;
  readonly security: readonly Json[];
}

type Content = Readonly<Record<string, { readonly schema: Json }>>;

/** The parts of the OpenAPI document that the tests look at. */
export const document = openApi as Json & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json; readonly responses: Readonly<Record<string, { content: Content }>> };
};

export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

const ID = "openapi.json";
const MEDIA_TYPE = "application/json";
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
ajv.addFormat("int32", true);
ajv.addFormat("int64", true);
ajv.addFormat("date-time", (text: string) => parseTimestamp(text) !== undefined);
ajv.addKeyword("components");
ajv.addSchema({ $id: ID, components: document.components });

/** A validator of a schema of the document. Throws for one that is none (JSON Schema 2020-12). */
export function compileSchema(schema: Json): ValidateFunction {
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', `"${ID}#/components/`)));
}

const compiled = new Map<string, ValidateFunction | undefined>();

/**
 * What is wrong with an answer by the document: a status that it does not name, or a body that does not fit. Empty: nothing.
 */
export function findUndocumented(operationId: string, status: number, body: unknown): string[] {
  const key = `${operationId} ${status}`;
  if (!compiled.has(key)) compiled.set(key, compileResponse(operationId, status));
  const validate = compiled.get(key);
  if (validate === undefined) return [`${key} is not documented`];
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${key}: ${instancePath} ${message}`);
}

function compileResponse(operationId: string, status: number): ValidateFunction | undefined {
  const { operation } = operations.find((entry) => entry.operation.operationId === operationId) ?? {};
  const named = operation?.responses[status];
  if (named === undefined) return undefined;
  const response = "$ref" in named ? document.components.responses[named.$ref.split("/").at(-1) ?? ""] : named;
  const schema = response?.content?.[MEDIA_TYPE]?.schema;
  if (schema === undefined) throw new Error(`${operationId} has no body with ${status}`);
  return compileSchema(schema);
}
