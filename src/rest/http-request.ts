import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { invalidArgument } from "../errors.js";
import { isJsonObject } from "./decode-state.js";
import type { FieldPath } from "./field-path.js";
import type { HttpBinding } from "./http-rules.js";

/** A request as a client sends it. */
export interface HttpRequest {
  /** In upper case. */
  readonly httpMethod: string;
  /** Path and query. */
  readonly target: string;
  /** JSON; undefined where the method takes no body. */
  readonly body: string | undefined;
}

/** URLs take these as steps between paths, however they are encoded (https://url.spec.whatwg.org/#double-dot-path-segment). */
const PATH_STEPS: ReadonlySet<string> = new Set([".", ".."]);

/**
 * Compiles the way that `compileBinding` goes back: from a request message, as ProtoJSON with snake_case names, to the HTTP
 * request of a binding. Variables of one segment only; `**` and variables of several segments are no method's here.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
 * @throws ServiceError (the result) INVALID_ARGUMENT when a value cannot be part of a path
 */
export function compileHttpRequest(binding: HttpBinding): (request: JsonObject) => HttpRequest {
  const { body, httpMethod, template, variables } = binding;
  if (template.segments.some(({ kind }) => kind === "rest") || template.variables.some((one) => one.isMultiSegment)) {
    throw new Error(`${template.text} binds several segments`);
  }
  return (request) => {
    const rest = structuredClone(request);
    const values = new Map(
      template.variables.map(({ start }, index) => [start, takeText(rest, variables[index] as FieldPath)]),
    );
    const segments = template.segments.map((segment, index) =>
      segment.kind === "literal" ? segment.text : encodeURIComponent(values.get(index) ?? ""),
    );
    const path = `/${segments.join("/")}${template.verb === undefined ? "" : `:${template.verb}`}`;
    if (body.kind === "message") return { httpMethod, target: path, body: JSON.stringify(rest) };
    const { [body.kind === "field" ? body.field.name : ""]: content, ...others } = rest;
    const query = new URLSearchParams(queryPairs(others)).toString();
    return {
      httpMethod,
      target: query === "" ? path : `${path}?${query}`,
      body: body.kind === "field" ? JSON.stringify(content ?? {}) : undefined,
    };
  };
}

/** Takes the value of a field out of the JSON of a message. An absent one is empty. */
function takeText(json: JsonObject, path: FieldPath): string {
  let holder: JsonObject = json;
  for (const { name } of path.slice(0, -1)) {
    const inner = holder[name];
    if (!isJsonObject(inner)) return "";
    holder = inner as JsonObject;
  }
  const last = path.at(-1)?.name ?? "";
  const text = String(holder[last] ?? "");
  delete holder[last];
  if (text === "") throw invalidArgument(namesOf(path), "is required");
  if (PATH_STEPS.has(text)) throw invalidArgument(namesOf(path), "must not be . or ..");
  return text;
}

function namesOf(path: FieldPath): string {
  return path.map(({ name }) => name).join(".");
}

/** `{"a": {"b": 1}, "c": [2, 3]}` as `a.b=1&c=2&c=3`. */
function queryPairs(json: JsonObject, prefix = ""): [string, string][] {
  return Object.entries(json).flatMap(([name, value]) => pairsOf(`${prefix}${name}`, value));
}

function pairsOf(name: string, value: JsonValue): [string, string][] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => pairsOf(name, item));
  return typeof value === "object" ? queryPairs(value, `${name}.`) : [[name, String(value)]];
}
