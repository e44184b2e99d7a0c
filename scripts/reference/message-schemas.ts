import { type DescEnum, type DescField, type DescMessage, getOption, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import { bodyLimits, parameterLimits } from "./field-limits.js";
import { type JsonSchema, mergeSchemas } from "./json-schema.js";
import type { ReadComment } from "./read-image.js";

/** `request`: what may be sent. `response`: what is answered, with every field that is always there as required. */
export type Direction = "request" | "response";

const MAX_INT32 = 2 ** 31 - 1;

/** As `src/rest/duration.ts` reads them; in answers, as ProtoJSON writes them. */
const DURATION_PATTERN = "^[+-]?(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|mo|s|m|h|d|w|y))+)$";
const PROTO_DURATION_PATTERN = "^-?[0-9]+(\\.([0-9]{3}){1,3})?s$";

const WELL_KNOWN: Readonly<Record<string, Readonly<Record<Direction, JsonSchema>>>> = {
  "google.protobuf.Timestamp": both({ type: "string", format: "date-time" }),
  "google.protobuf.Struct": both({ type: "object", additionalProperties: true }),
  "google.protobuf.FieldMask": both({ type: "string" }),
  "google.protobuf.Duration": {
    request: { type: "string", maxLength: 64, pattern: DURATION_PATTERN, examples: ["1h30m"] },
    response: { type: "string", pattern: PROTO_DURATION_PATTERN },
  },
};

const SCALARS: Partial<Readonly<Record<ScalarType, Readonly<Record<Direction, JsonSchema>>>>> = {
  [ScalarType.STRING]: both({ type: "string" }),
  [ScalarType.BOOL]: both({ type: "boolean" }),
  [ScalarType.INT32]: both({ type: "integer", format: "int32", minimum: -MAX_INT32 - 1, maximum: MAX_INT32 }),
  [ScalarType.INT64]: {
    request: {
      oneOf: [
        { type: "string", format: "int64", pattern: "^-?[0-9]{1,20}$" },
        { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      ],
    },
    response: { type: "string", format: "int64", pattern: "^-?[0-9]+$" },
  },
};

function both(schema: JsonSchema): Readonly<Record<Direction, JsonSchema>> {
  return { request: schema, response: schema };
}

/**
 * The schemas of messages and enums as REST's JSON has them. A message that is both sent and answered has two, as only
 * answers always hold every field; the one for requests is then called `<name>Input`.
 */
export class MessageSchemas {
  readonly #commentOf: ReadComment;
  readonly #answered: ReadonlySet<string>;
  readonly #components = new Map<string, JsonSchema>();

  /** `answered`: the messages that are a response. */
  constructor(commentOf: ReadComment, answered: readonly DescMessage[]) {
    this.#commentOf = commentOf;
    this.#answered = namesWithin(answered);
  }

  /** What was referred to so far, by name and in order of it. */
  get components(): JsonSchema {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to a message's schema. */
  refer(desc: DescMessage, direction: Direction): JsonSchema {
    const isInput = direction === "request" && this.#answered.has(desc.typeName);
    return this.#referTo(isInput ? `${desc.name}Input` : desc.name, () => this.describe(desc, direction));
  }

  /** A message's schema, without the fields that a request says elsewhere. */
  describe(desc: DescMessage, direction: Direction, elsewhere: readonly DescField[] = []): JsonSchema {
    const fields = desc.fields.filter((field) => !elsewhere.includes(field));
    const isRequired = direction === "response" ? isAlwaysAnswered : isPartial(desc) ? () => false : isAskedFor;
    const required = fields.filter(isRequired).map(({ name }) => name);
    return {
      type: "object",
      description: this.#commentOf(desc),
      properties: Object.fromEntries(fields.map((field) => [field.name, this.#property(field, direction)])),
      ...(required.length > 0 && { required }),
      // A field that is not known is refused; an answer may get new ones.
      ...(direction === "request" && { additionalProperties: false }),
    };
  }

  /** The schema of what a path or query says of a field. */
  parameter(field: DescField): JsonSchema {
    return mergeSchemas(this.#value(field, "request"), parameterLimits(field));
  }

  #property(field: DescField, direction: Direction): JsonSchema {
    const schema = this.#value(field, direction);
    const limited = direction === "request" ? mergeSchemas(schema, bodyLimits(field)) : schema;
    const isReadOnly = hasBehavior(field, FieldBehavior.OUTPUT_ONLY);
    return { ...limited, description: this.#commentOf(field), ...(isReadOnly && { readOnly: true }) };
  }

  #value(field: DescField, direction: Direction): JsonSchema {
    const item = this.#item(field, direction);
    return field.fieldKind === "list" ? { type: "array", items: item } : item;
  }

  #item(field: DescField, direction: Direction): JsonSchema {
    if (field.fieldKind === "map") throw new Error(`${field}: maps are not described yet`);
    if (field.enum) return this.#enum(field.enum);
    if (field.message) return WELL_KNOWN[field.message.typeName]?.[direction] ?? this.refer(field.message, direction);
    const schema = SCALARS[field.scalar]?.[direction];
    if (schema === undefined) throw new Error(`${field}: ${ScalarType[field.scalar]} is not described yet`);
    return schema;
  }

  #enum(desc: DescEnum): JsonSchema {
    return this.#referTo(desc.name, () => ({
      type: "string",
      description: [
        this.#commentOf(desc),
        desc.values.map((value) => `- \`${value.name}\`: ${this.#commentOf(value)}`).join("\n"),
      ].join("\n\n"),
      enum: desc.values.map(({ name }) => name),
    }));
  }

  #referTo(name: string, describe: () => JsonSchema): JsonSchema {
    if (!this.#components.has(name)) {
      this.#components.set(name, {}); // its place, for a message that holds itself
      this.#components.set(name, describe());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

/** What has no presence is always written. */
function isAlwaysAnswered(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return true;
  return field.presence === FeatureSet_FieldPresence.IMPLICIT && field.message === undefined;
}

function isAskedFor(field: DescField): boolean {
  return hasBehavior(field, FieldBehavior.REQUIRED);
}

/** A resource is sent to be changed, and what it does not have stays as it is. */
function isPartial(desc: DescMessage): boolean {
  return desc.fields.some((field) => hasBehavior(field, FieldBehavior.IDENTIFIER));
}

function hasBehavior(field: DescField, behavior: FieldBehavior): boolean {
  return getOption(field, field_behavior).includes(behavior);
}

function namesWithin(messages: readonly DescMessage[]): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (desc: DescMessage) => {
    if (names.has(desc.typeName)) return;
    names.add(desc.typeName);
    for (const { message } of desc.fields) if (message) add(message);
  };
  for (const desc of messages) add(desc);
  return names;
}
