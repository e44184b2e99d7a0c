import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { max_request_bytes, Permission, permission, success_status } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { type HttpBinding, readHttpRules } from "../../src/rest/http-rules.js";
import type { CataloguedError } from "./error-catalogue.js";
import { createTable } from "./markdown-table.js";
import { methodErrors } from "./method-errors.js";
import type { Image, ReadComment } from "./read-image.js";
import { restPath } from "./rest-path.js";

const DEFAULT_SUCCESS_STATUS = 200;
const DEFAULT_MAX_REQUEST_MIB = 1;
const BYTES_PER_MIB = 1024 * 1024;

const CALLERS: Readonly<Record<Permission, string>> = {
  [Permission.UNSPECIFIED]: "nobody",
  [Permission.PUBLIC]: "everybody, without a bearer token",
  [Permission.VERIFY]: "the roles `verifier`, `reader` and `admin`",
  [Permission.READ]: "the roles `reader` and `admin`",
  [Permission.WRITE]: "the role `admin`",
};

/** What AIP-203 calls a field, where a reader should know. */
const BEHAVIORS: ReadonlyMap<FieldBehavior, string> = new Map([
  [FieldBehavior.REQUIRED, "Required."],
  [FieldBehavior.OUTPUT_ONLY, "Output only."],
  [FieldBehavior.IMMUTABLE, "Immutable."],
  [FieldBehavior.IDENTIFIER, "Identifier."],
]);

/** `docs/reference.md`: every RPC, message and enum with its comment, as gRPC and as REST has it. */
export function createReferencePage({ service, commentOf }: Image, catalogue: readonly CataloguedError[]): string {
  const bindings = readHttpRules(service);
  const { messages, enums } = listTypes(service.methods);
  return [
    "<!-- Generated from the protos by `npm run generate`. -->",
    "# Reference",
    commentOf(service),
    `The service is \`${service.typeName}\`, defined in \`proto/\`. Over gRPC, gRPC-Web and Connect its methods are at
\`/${service.typeName}/\` and their name; over REST at the paths below, which \`/openapi.json\` describes as OpenAPI 3.1. The
reasons of errors are explained in [errors.md](errors.md).`,
    "## Methods",
    ...service.methods.flatMap((method) => {
      const own = bindings.filter((binding) => binding.method === method);
      return describeMethod(method, own, commentOf, catalogue);
    }),
    "## Messages",
    ...messages.flatMap((desc) => [`### ${desc.name}`, commentOf(desc), ...fieldTable(desc, commentOf)]),
    "## Enums",
    ...enums.flatMap((desc) => [`### ${desc.name}`, commentOf(desc), valueTable(desc, commentOf)]),
  ]
    .join("\n\n")
    .concat("\n");
}

function describeMethod(
  method: DescMethod,
  bindings: readonly HttpBinding[],
  commentOf: ReadComment,
  catalogue: readonly CataloguedError[],
): string[] {
  const status = hasOption(method, success_status) ? getOption(method, success_status) : DEFAULT_SUCCESS_STATUS;
  const maxMib = hasOption(method, max_request_bytes)
    ? getOption(method, max_request_bytes) / BYTES_PER_MIB
    : DEFAULT_MAX_REQUEST_MIB;
  const reasons = methodErrors(method);
  return [
    `### ${method.name}`,
    commentOf(method),
    [
      ...bindings.map(
        (binding) => `- REST: \`${binding.httpMethod} ${restPath(binding).text}\`${describeBody(binding)}`,
      ),
      `- May be called by ${CALLERS[getOption(method, permission)]}.`,
      `- Request: ${link(method.input)}, at most ${maxMib} MiB. Response: ${link(method.output)}; over REST with ${status}.`,
      `- Errors: ${catalogue
        .filter(({ reason }) => reasons.includes(reason))
        .map(({ reason }) => `\`${reason}\``)
        .join(", ")}.`,
    ].join("\n"),
  ];
}

function describeBody({ body, method, variables }: HttpBinding): string {
  if (body.kind === "field") return `, the body is its \`${body.field.name}\``;
  const rest = method.input.fields.filter((field) => !variables.some(([first]) => first === field));
  if (rest.length === 0) return "";
  const names = rest.map(({ name }) => `\`${name}\``).join(", ");
  return body.kind === "message" ? ", the body is the request" : `, query: ${names}`;
}

function fieldTable(desc: DescMessage, commentOf: ReadComment): string[] {
  if (desc.fields.length === 0) return [];
  const rows = desc.fields.map((field) => {
    const behaviors = getOption(field, field_behavior).flatMap((behavior) => BEHAVIORS.get(behavior) ?? []);
    const text = [...behaviors, commentOf(field)].join(" ");
    return [`\`${field.name}\``, String(field.number), typeOf(field), text];
  });
  return [createTable(["field", "number", "type", ""], rows)];
}

function valueTable(desc: DescEnum, commentOf: ReadComment): string {
  const rows = desc.values.map((value) => [`\`${value.name}\``, String(value.number), commentOf(value)]);
  return createTable(["value", "number", ""], rows);
}

function typeOf(field: DescField): string {
  const prefix = field.fieldKind === "list" ? "repeated " : field.proto.proto3Optional ? "optional " : "";
  if (field.fieldKind === "map") throw new Error(`${field}: maps are not described yet`);
  const named = field.message ?? field.enum;
  return prefix + (named ? link(named) : `\`${ScalarType[field.scalar ?? ScalarType.STRING].toLowerCase()}\``);
}

/** A published type is named, one of ours is on this page. */
function link(desc: DescMessage | DescEnum): string {
  if (desc.typeName.startsWith("google.")) return `\`${desc.typeName}\``;
  return `[${desc.name}](#${desc.name.toLowerCase()})`;
}

/** Our types in the order in which the methods use them. */
function listTypes(methods: readonly DescMethod[]): { messages: DescMessage[]; enums: DescEnum[] } {
  const messages = new Set<DescMessage>();
  const enums = new Set<DescEnum>();
  const add = (desc: DescMessage) => {
    if (desc.typeName.startsWith("google.") || messages.has(desc)) return;
    messages.add(desc);
    for (const field of desc.fields) {
      if (field.enum) enums.add(field.enum);
      if (field.message) add(field.message);
    }
  };
  for (const { input, output } of methods) {
    add(input);
    add(output);
  }
  return { messages: [...messages], enums: [...enums] };
}
