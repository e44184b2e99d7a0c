import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, createFileRegistry, type DescMessage, type DescService, setExtension } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  MessageOptionsSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../gen/google/api/annotations_pb.js";
import { type HttpRule, HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { maskable } from "../../gen/latchkey/v2alpha1/options_pb.js";

/** Descriptors made at run time, as no type of the service has every kind of field. Field types are written as in proto. */
export type Fields = Readonly<Record<string, string>>;

const files = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

const scalars = new Map<string, FieldDescriptorProto_Type>(
  Object.entries({
    double: FieldDescriptorProto_Type.DOUBLE,
    float: FieldDescriptorProto_Type.FLOAT,
    int64: FieldDescriptorProto_Type.INT64,
    uint64: FieldDescriptorProto_Type.UINT64,
    int32: FieldDescriptorProto_Type.INT32,
    fixed64: FieldDescriptorProto_Type.FIXED64,
    fixed32: FieldDescriptorProto_Type.FIXED32,
    bool: FieldDescriptorProto_Type.BOOL,
    string: FieldDescriptorProto_Type.STRING,
    bytes: FieldDescriptorProto_Type.BYTES,
    uint32: FieldDescriptorProto_Type.UINT32,
    sfixed32: FieldDescriptorProto_Type.SFIXED32,
    sfixed64: FieldDescriptorProto_Type.SFIXED64,
    sint32: FieldDescriptorProto_Type.SINT32,
    sint64: FieldDescriptorProto_Type.SINT64,
  }),
);

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** "repeated maskable int32", "optional string", "oneof:choice string", "enum:.test.Color", ".test.Node". */
function makeField(name: string, number: number, text: string): FieldDescriptorProto {
  const words = text.split(" ");
  const type = words.at(-1) ?? "";
  const isEnum = type.startsWith("enum:");
  const options = create(FieldOptionsSchema);
  if (words.includes("maskable")) setExtension(options, maskable, true);
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    jsonName: camelCase(name),
    options,
    label: words.includes("repeated") ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
    type: scalars.get(type) ?? (isEnum ? FieldDescriptorProto_Type.ENUM : FieldDescriptorProto_Type.MESSAGE),
    ...(scalars.has(type) ? {} : { typeName: isEnum ? type.slice(5) : type }),
  });
}

function makeMessage(name: string, fields: Fields): DescriptorProto {
  const oneofs: string[] = [];
  const optionals: FieldDescriptorProto[] = [];
  const nested: DescriptorProto[] = [];
  const made = Object.entries(fields).map(([fieldName, text], index) => {
    const map = /^map<(.*),(.*)>$/.exec(text);
    if (map) {
      const entry = camelCase(`_${fieldName}_entry`);
      const entryMessage = makeMessage(entry, { key: map[1] ?? "", value: map[2] ?? "" });
      entryMessage.options = create(MessageOptionsSchema, { mapEntry: true });
      nested.push(entryMessage);
      return makeField(fieldName, index + 1, `repeated .test.${name}.${entry}`);
    }
    const field = makeField(fieldName, index + 1, text);
    const oneof = /^oneof:(\S+)/.exec(text)?.[1];
    if (oneof !== undefined) {
      if (!oneofs.includes(oneof)) oneofs.push(oneof);
      field.oneofIndex = oneofs.indexOf(oneof);
    } else if (text.startsWith("optional ")) optionals.push(field);
    return field;
  });
  // Synthetic oneofs stand after the real ones.
  for (const field of optionals) {
    field.proto3Optional = true;
    field.oneofIndex = oneofs.push(`_${field.name}`) - 1;
  }
  return create(DescriptorProtoSchema, {
    name,
    field: made,
    nestedType: nested,
    oneofDecl: oneofs.map((oneof) => ({ name: oneof })),
  });
}

export interface Method {
  readonly input: string;
  readonly output?: string;
  readonly rule?: MessageInitShape<typeof HttpRuleSchema> | HttpRule;
  readonly isStreaming?: boolean;
}

export interface Schema {
  message(name: string): DescMessage;
  readonly service: DescService;
}

/** A file `test` with these messages, enum `Color` and a service `Service` of these methods. */
export function makeSchema(
  messages: Readonly<Record<string, Fields>>,
  methods: Readonly<Record<string, Method>> = {},
): Schema {
  const color = create(EnumDescriptorProtoSchema, {
    name: "Color",
    value: [
      { name: "COLOR_UNSPECIFIED", number: 0 },
      { name: "RED", number: 1 },
      { name: "ENUM_VALUE", number: 2 },
    ],
  });
  const many = create(EnumDescriptorProtoSchema, {
    name: "Many",
    value: Array.from({ length: 13 }, (_, number) => ({ name: `MANY_${number}`, number })),
  });
  const service = create(ServiceDescriptorProtoSchema, {
    name: "Service",
    method: Object.entries(methods).map(([name, method]) => {
      const options = create(MethodOptionsSchema);
      if (method.rule) setExtension(options, http, create(HttpRuleSchema, method.rule));
      return create(MethodDescriptorProtoSchema, {
        name,
        options,
        inputType: `.test.${method.input}`,
        outputType: `.test.${method.output ?? method.input}`,
        serverStreaming: method.isStreaming ?? false,
      });
    }),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    dependency: files.map(({ name }) => `${name}.proto`),
    messageType: Object.entries(messages).map(([name, fields]) => makeMessage(name, fields)),
    enumType: [color, many],
    service: [service],
  });
  const registry = createFileRegistry(file, (name) => files.find((known) => `${known.name}.proto` === name)?.proto);
  return {
    message: (name) => {
      const desc = registry.getMessage(`test.${name}`);
      if (!desc) throw new Error(`no message ${name}`);
      return desc;
    },
    get service() {
      const desc = registry.getService("test.Service");
      if (!desc) throw new Error("no service");
      return desc;
    },
  };
}

/** Every kind of field. Names are those of the vectors in http-rule.json where these have one. */
export const everything: Readonly<Record<string, Fields>> = {
  Everything: {
    double_value: "double",
    float_value: "float",
    int32_value: "int32",
    int64_value: "int64",
    uint32_value: "uint32",
    uint64_value: "uint64",
    sint32_value: "sint32",
    sint64_value: "sint64",
    fixed32_value: "fixed32",
    fixed64_value: "fixed64",
    bool_value: "bool",
    string_value: "string",
    bytes_value: "bytes",
    enum_value: "enum:.test.Color",
    many_value: "enum:.test.Many",
    null_value: "enum:.google.protobuf.NullValue",
    optional_value: "optional string",
    timestamp: ".google.protobuf.Timestamp",
    duration: ".google.protobuf.Duration",
    field_mask: ".google.protobuf.FieldMask",
    struct: ".google.protobuf.Struct",
    value: ".google.protobuf.Value",
    list: ".google.protobuf.ListValue",
    empty: ".google.protobuf.Empty",
    bool_value_wrapper: ".google.protobuf.BoolValue",
    int32_value_wrapper: ".google.protobuf.Int32Value",
    int64_value_wrapper: ".google.protobuf.Int64Value",
    string_value_wrapper: ".google.protobuf.StringValue",
    nested: ".test.Nested",
    recursive: ".test.Everything",
    oneof_double_value: "oneof:choice double",
    oneof_string_value: "oneof:choice string",
    oneof_nested: "oneof:choice .test.Nested",
    oneof_wrapper: "oneof:choice .google.protobuf.StringValue",
    enum_list: "repeated enum:.test.Color",
    double_list: "repeated double",
    string_list: "repeated string",
    nested_list: "repeated .test.Nested",
    struct_list: "repeated .google.protobuf.Struct",
    value_list: "repeated .google.protobuf.Value",
    wrapper_list: "repeated .google.protobuf.Int64Value",
    string_map: "map<string,string>",
    int64_map: "map<int64,int32>",
    bool_map: "map<bool,enum:.test.Color>",
    nested_map: "map<string,.test.Nested>",
    struct_map: "map<string,.google.protobuf.Struct>",
  },
  Nested: { double_value: "double", camel_case_name: "string" },
};
