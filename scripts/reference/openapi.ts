import { type DescField, type DescMessage, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { Permission, permission, success_status } from "../../gen/latchkey/v2alpha1/options_pb.js";
import type { Reason } from "../../src/errors.js";
import { type HttpBinding, readHttpRules } from "../../src/rest/http-rules.js";
import type { CataloguedError } from "./error-catalogue.js";
import { errorSchemas } from "./error-schemas.js";
import type { JsonSchema } from "./json-schema.js";
import { MessageSchemas } from "./message-schemas.js";
import { methodErrors } from "./method-errors.js";
import type { Image, ReadComment } from "./read-image.js";
import { type RestPath, restPath } from "./rest-path.js";

const DEFAULT_SUCCESS_STATUS = 200;
const SECURITY_SCHEME = "bearer";
/** Its answer has an ETag, and is 304 to whoever has it. */
const WITH_ETAG: readonly string[] = ["GetJwks"];

const INTRODUCTION = `
Names are snake_case; camelCase is accepted as well, and so are the numbers of enums. A field that is null counts as absent; one
that is not known is an error.

Every answer has an \`x-request-id\`: the one of the request, if it had one of up to 128 plain characters. The header
\`grpc-timeout\`, such as \`500m\`, sets a deadline. On verify and batchVerify, \`cache-control: no-cache\` reads the keys afresh.

A path that is not here is answered 404, a method that is not here 405, with \`allow\`; either in the same envelope as the other
errors.`;

const HEADERS: JsonSchema = {
  RequestId: { description: "Names the call in the server's log.", schema: { type: "string" }, required: true },
  ETag: { description: "Names this version of the answer (RFC 9110 section 8.8.3).", schema: { type: "string" } },
  CacheControl: { description: "How long the answer may be kept.", schema: { type: "string" } },
  RetryAfter: { description: "Seconds to wait before the next try.", schema: { type: "integer", minimum: 1 } },
  WwwAuthenticate: {
    description: "`Bearer`, when the bearer token was missing or unknown.",
    schema: { type: "string" },
  },
};

/** Headers that come with errors of a status. */
const ERROR_HEADERS: Readonly<Record<number, JsonSchema>> = {
  401: { "www-authenticate": referTo("headers", "WwwAuthenticate") },
  429: { "retry-after": referTo("headers", "RetryAfter") },
};

/** The OpenAPI 3.1 document of REST: everything that the protos' `google.api.http` rules say, and what answers look like. */
export function createOpenApi({ service, commentOf }: Image, catalogue: readonly CataloguedError[]): JsonSchema {
  const schemas = new MessageSchemas(
    commentOf,
    service.methods.map(({ output }) => output),
  );
  const responses = new Map<string, JsonSchema>();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const uses = new Map<DescMethod, number>();

  for (const binding of readHttpRules(service)) {
    const { method, httpMethod } = binding;
    const use = (uses.get(method) ?? 0) + 1;
    uses.set(method, use);
    const path = restPath(binding);
    paths[path.text] = {
      ...paths[path.text],
      [httpMethod.toLowerCase()]: {
        operationId: use === 1 ? method.name : `${method.name}${use}`,
        tags: [service.name],
        summary: firstSentence(commentOf(method)),
        description: commentOf(method),
        ...describeRequest(binding, path, commentOf, schemas),
        responses: { ...describeSuccess(method, schemas), ...describeErrors(binding, path, catalogue, responses) },
        security: isPublic(method) ? [] : [{ [SECURITY_SCHEME]: [] }],
      },
    };
  }

  return {
    openapi: "3.1.0",
    info: {
      title: "Latchkey",
      version: service.file.proto.package.split(".").at(-1),
      summary: "API keys over REST",
      description: `${commentOf(service)}\n${INTRODUCTION}`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [{ name: service.name, description: firstSentence(commentOf(service)) }],
    paths,
    components: {
      securitySchemes: {
        [SECURITY_SCHEME]: {
          type: "http",
          scheme: "bearer",
          description: "A token of the setting `admin.tokens`; none is needed with `admin.auth: none`.",
        },
      },
      headers: HEADERS,
      responses: Object.fromEntries([...responses].sort(([a], [b]) => (a < b ? -1 : 1))),
      schemas: { ...schemas.components, ...errorSchemas(catalogue) },
    },
  };
}

function describeRequest(
  binding: HttpBinding,
  path: RestPath,
  commentOf: ReadComment,
  schemas: MessageSchemas,
): JsonSchema {
  const { method, variables, body } = binding;
  const inQuery = body.kind === "message" ? [] : method.input.fields.filter((field) => !isBound(field, binding));
  const parameters = [
    ...path.parameters.map((field) => parameter("path", field, commentOf, schemas)),
    ...inQuery.map((field) => parameter("query", field, commentOf, schemas)),
    ...(WITH_ETAG.includes(method.name) ? [IF_NONE_MATCH] : []),
  ];
  const inPath = variables.flatMap((fields) => (fields.length === 1 ? [fields[0]] : []));
  return {
    ...(parameters.length > 0 && { parameters }),
    ...(body.kind === "message" && { requestBody: wholeBody(method.input, inPath, schemas) }),
    ...(body.kind === "field" && body.field.message && { requestBody: fieldBody(body.field.message, method, schemas) }),
  };
}

const IF_NONE_MATCH: JsonSchema = {
  name: "if-none-match",
  in: "header",
  description: "Entity tags of answers that the client has (RFC 9110 section 13.1.2).",
  schema: { type: "string" },
};

function isBound(field: DescField, { variables, body }: HttpBinding): boolean {
  return (body.kind === "field" && body.field === field) || variables.some(([first]) => first === field);
}

function parameter(
  place: "path" | "query",
  field: DescField,
  commentOf: ReadComment,
  schemas: MessageSchemas,
): JsonSchema {
  return {
    name: field.name,
    in: place,
    description: commentOf(field),
    ...(place === "path" && { required: true }),
    schema: schemas.parameter(field),
  };
}

/** The request message; what the path says is left out. */
function wholeBody(input: DescMessage, inPath: readonly DescField[], schemas: MessageSchemas): JsonSchema {
  const schema = inPath.length === 0 ? schemas.refer(input, "request") : schemas.describe(input, "request", inPath);
  const needed = input.fields.filter(
    (field) => !inPath.includes(field) && getOption(field, field_behavior).includes(FieldBehavior.REQUIRED),
  );
  return { required: needed.length > 0, content: json(schema) };
}

/** The bare resource, whose absent fields are left as they are; or the whole request with the resource inside. */
function fieldBody(resource: DescMessage, { input }: DescMethod, schemas: MessageSchemas): JsonSchema {
  const schema = { oneOf: [schemas.refer(resource, "request"), schemas.refer(input, "request")] };
  return { required: true, content: json(schema) };
}

function describeSuccess(method: DescMethod, schemas: MessageSchemas): JsonSchema {
  const status = hasOption(method, success_status) ? getOption(method, success_status) : DEFAULT_SUCCESS_STATUS;
  const headers = {
    "x-request-id": referTo("headers", "RequestId"),
    ...(WITH_ETAG.includes(method.name) && {
      etag: referTo("headers", "ETag"),
      "cache-control": referTo("headers", "CacheControl"),
    }),
  };
  const content = json(schemas.refer(method.output, "response"));
  return {
    [status]: { description: "Success.", headers, content },
    ...(WITH_ETAG.includes(method.name) && { 304: { description: "The client has the answer already.", headers } }),
  };
}

/** Of any request, before it is known what it is about; then the answer has no body. */
const HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE";

/** The method's errors by their HTTP status. */
function describeErrors(
  { method, body }: HttpBinding,
  path: RestPath,
  catalogue: readonly CataloguedError[],
  responses: Map<string, JsonSchema>,
): JsonSchema {
  const reasons: readonly Reason[] = [
    // What has no body has none that is too large.
    ...methodErrors(method).filter((reason) => body.kind !== "none" || reason !== "PAYLOAD_TOO_LARGE"),
    ...(body.kind === "none" ? [] : ["UNSUPPORTED_MEDIA_TYPE" as const]),
    // An identifier with a slash, or none.
    ...(path.parameters.length === 0 ? [] : ["ROUTE_NOT_FOUND" as const]),
  ];
  const errors = catalogue.filter(({ reason }) => reasons.includes(reason));
  if (errors.length < reasons.length) throw new Error(`src/errors.ts lacks one of ${reasons.join(", ")}`);
  const statuses = [...new Set(errors.map(({ httpStatus }) => httpStatus))];
  responses.set(HEADERS_TOO_LARGE, { description: "The path, the query and the headers are more than 16 KiB." });
  const described = Object.fromEntries(
    statuses.map((status) => {
      const some = errors.filter(({ httpStatus }) => httpStatus === status);
      const name = some.map(({ reason }) => reason).join(".");
      responses.set(name, {
        description: some.map(({ reason, when }) => `\`${reason}\`: ${when}`).join("\n\n"),
        headers: { "x-request-id": referTo("headers", "RequestId"), ...ERROR_HEADERS[status] },
        content: json(referTo("schemas", "Error")),
      });
      return [status, referTo("responses", name)];
    }),
  );
  return { ...described, 431: referTo("responses", HEADERS_TOO_LARGE) };
}

function isPublic(method: DescMethod): boolean {
  return getOption(method, permission) === Permission.PUBLIC;
}

function json(schema: JsonSchema): JsonSchema {
  return { "application/json": { schema } };
}

function referTo(kind: "headers" | "responses" | "schemas", name: string): JsonSchema {
  return { $ref: `#/components/${kind}/${name}` };
}

function firstSentence(comment: string): string {
  return comment.replaceAll("\n", " ").split(". ")[0]?.replace(/\.$/, "") ?? "";
}
