import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { http } from "../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../gen/google/api/http_pb.js";
import { type FieldPath, resolveFieldPath } from "./field-path.js";
import { type PathTemplate, parsePathTemplate } from "./path-template.js";

/** What the HTTP body holds: nothing, the request message (`*`), or one of its fields. */
export type BodyRule =
  | { readonly kind: "none" }
  | { readonly kind: "message" }
  | { readonly kind: "field"; readonly field: DescField };

/** One HTTP method and path of an RPC. */
export interface HttpBinding {
  readonly method: DescMethod;
  /** In upper case; `*` stands for every method. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** What the template's variables bind, in the template's order. */
  readonly variables: readonly FieldPath[];
  readonly body: BodyRule;
  /** The field of the response that is the HTTP body; undefined: the response itself. */
  readonly responseBody: DescField | undefined;
}

/**
 * Reads the `google.api.http` rules of a service, additional bindings included. Methods without a rule have no binding.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
 * @throws Error that names the method and path, when a rule does not fit the messages it is about
 */
export function readHttpRules(service: DescService): readonly HttpBinding[] {
  return service.methods.filter((method) => hasOption(method, http)).flatMap(readMethod);
}

function readMethod(method: DescMethod): readonly HttpBinding[] {
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].map((binding) => {
    try {
      if (binding !== rule && binding.additionalBindings.length > 0) {
        throw new Error("an additional binding cannot have additional bindings");
      }
      return readBinding(method, binding);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const where = `${method.parent.typeName}.${method.name}, "${patternPath(binding)}"`;
      throw new Error(`google.api.http of ${where}: ${reason}`, { cause });
    }
  });
}

function readBinding(method: DescMethod, rule: HttpRule): HttpBinding {
  if (method.methodKind !== "unary") throw new Error("streaming methods have no REST form");
  const httpMethod = patternMethod(rule);
  const template = parsePathTemplate(patternPath(rule));
  const variables = template.variables.map((variable) => resolveFieldPath(method.input, variable.fieldPath));
  const body = readBody(method.input, rule.body);
  if (body.kind === "field" && variables.some((path) => path.length === 1 && path[0] === body.field)) {
    throw new Error(`${rule.body} is both in the path and the body`);
  }
  const responseBody = rule.responseBody === "" ? undefined : findField(method.output, rule.responseBody);
  return { method, httpMethod, template, variables, body, responseBody };
}

function patternMethod({ pattern }: HttpRule): string {
  if (pattern.case === undefined) throw new Error("a rule needs an HTTP method");
  return pattern.case === "custom" ? pattern.value.kind : pattern.case.toUpperCase();
}

function patternPath({ pattern }: HttpRule): string {
  return (pattern.case === "custom" ? pattern.value.path : pattern.value) ?? "";
}

function readBody(input: DescMessage, body: string): BodyRule {
  if (body === "") return { kind: "none" };
  return body === "*" ? { kind: "message" } : { kind: "field", field: findField(input, body) };
}

function findField(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`${desc.typeName} has no field ${name}`);
  return field;
}
