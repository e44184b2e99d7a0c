/** A schema of JSON Schema 2020-12, or another object of an OpenAPI document. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Adds keywords to a schema; those of an `items` on both sides come together. */
export function mergeSchemas(schema: JsonSchema, more: JsonSchema): JsonSchema {
  const items = { ...(schema.items as JsonSchema | undefined), ...(more.items as JsonSchema | undefined) };
  return { ...schema, ...more, ...(Object.keys(items).length > 0 && { items }) };
}
