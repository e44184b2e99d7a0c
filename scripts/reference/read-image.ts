import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
} from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

const SERVICE = "latchkey.v2alpha1.ApiKeysService";

export type Commented = DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue;

/** The comment above a definition, without its slashes. Throws when there is none. */
export type ReadComment = (desc: Commented) => string;

export interface Image {
  readonly service: DescService;
  readonly commentOf: ReadComment;
}

/** Reads what `buf build --as-file-descriptor-set` wrote: descriptors, and the comments that generated code does not have. */
export function readImage(path: string): Image {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(path)));
  const service = registry.getService(SERVICE);
  if (service === undefined) throw new Error(`${path} does not define ${SERVICE}`);
  const comments = new Map<DescFile, ReadonlyMap<string, string>>();

  return {
    service,
    commentOf(desc) {
      const file = fileOf(desc);
      const known = comments.get(file) ?? readComments(file);
      comments.set(file, known);
      const comment = known.get(pathOf(desc).join("."));
      if (comment === undefined) throw new Error(`${desc} has no comment`);
      return comment;
    },
  };
}

/** Comments by the path of what they stand above, as google.protobuf.SourceCodeInfo.Location has it. */
function readComments({ proto }: DescFile): ReadonlyMap<string, string> {
  const located = proto.sourceCodeInfo?.location ?? [];
  return new Map(
    located
      .filter(({ leadingComments }) => leadingComments !== "")
      .map(({ path, leadingComments }) => [path.join("."), leadingComments.replaceAll(/^ /gm, "").trim()]),
  );
}

function fileOf(desc: Commented): DescFile {
  return "file" in desc ? desc.file : desc.parent.file;
}

const { messageType, enumType, service } = FileDescriptorProtoSchema.field;

/** All our definitions stand at the top of their files. */
function pathOf(desc: Commented): number[] {
  switch (desc.kind) {
    case "service":
      return [service.number, desc.file.services.indexOf(desc)];
    case "rpc":
      return [
        ...pathOf(desc.parent),
        ServiceDescriptorProtoSchema.field.method.number,
        desc.parent.methods.indexOf(desc),
      ];
    case "message":
      return [messageType.number, desc.file.messages.indexOf(desc)];
    case "field":
      return [...pathOf(desc.parent), DescriptorProtoSchema.field.field.number, desc.parent.fields.indexOf(desc)];
    case "enum":
      return [enumType.number, desc.file.enums.indexOf(desc)];
    case "enum_value":
      return [...pathOf(desc.parent), EnumDescriptorProtoSchema.field.value.number, desc.parent.values.indexOf(desc)];
  }
}
