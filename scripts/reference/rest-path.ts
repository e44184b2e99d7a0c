import type { DescField } from "@bufbuild/protobuf";
import type { HttpBinding } from "../../src/rest/http-rules.js";

/** A path as OpenAPI writes it. */
export interface RestPath {
  /** Such as `/v1/books/{book_id}:read`. */
  readonly text: string;
  /** The variables in it, each by the field that it sets. One that stands for a literal is none. */
  readonly parameters: readonly DescField[];
}

/**
 * A variable has the name of its last field, as paths that differ in names only are one path to OpenAPI. Throws for a template
 * that it has no words for: a variable of more than one segment, `*` or `**`, or two variables of a name.
 */
export function restPath({ template, variables }: HttpBinding): RestPath {
  const segments = template.segments.map((segment) => (segment.kind === "literal" ? segment.text : undefined));
  const parameters: DescField[] = [];
  for (const [index, { start, end }] of template.variables.entries()) {
    const field = variables[index]?.at(-1);
    if (field === undefined || end - start !== 1) throw new Error(`${template.text} cannot be said in OpenAPI`);
    if (segments[start] !== undefined) continue;
    if (parameters.some(({ name }) => name === field.name)) throw new Error(`${template.text} has two ${field.name}`);
    parameters.push(field);
    segments[start] = `{${field.name}}`;
  }
  if (segments.includes(undefined)) throw new Error(`${template.text} cannot be said in OpenAPI`);
  const verb = template.verb === undefined ? "" : `:${template.verb}`;
  return { text: `/${segments.join("/")}${verb}`, parameters };
}
