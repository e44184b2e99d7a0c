/** gRPC server reflection, v1 and v1alpha: the same messages under two names. */
import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";
import {
  type ServerReflectionRequest,
  ServerReflection as ServerReflectionV1,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { createRpcService, type RpcService } from "./rpc-method.js";

/** The services' descriptors, and those of the details of their errors, indexed by what clients ask for. */
interface Index {
  readonly services: readonly string[];
  readonly fileOfName: ReadonlyMap<string, DescFile>;
  /** Messages, enums, services and extensions by full name; their members are found through them. */
  readonly fileOfSymbol: ReadonlyMap<string, DescFile>;
  /** Extended message -> extension number -> file. */
  readonly fileOfExtension: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/** Both versions of the reflection service, about `services` and themselves. */
export function createReflectionServices(services: readonly DescService[]): RpcService[] {
  const index = indexDescriptors([...services, ServerReflectionV1, ServerReflectionV1Alpha]);
  async function* serverReflectionInfo(requests: AsyncIterable<ServerReflectionRequest>) {
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, messageResponse: answer(index, request) };
    }
  }
  return [ServerReflectionV1, ServerReflectionV1Alpha].map((desc) =>
    createRpcService(desc, { permission: Permission.PUBLIC, handlers: {}, streams: { serverReflectionInfo } }),
  );
}

function answer(index: Index, { messageRequest }: ServerReflectionRequest) {
  switch (messageRequest.case) {
    case "listServices":
      return {
        case: "listServicesResponse" as const,
        value: { service: index.services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(index.fileOfName.get(messageRequest.value), messageRequest.value);
    case "fileContainingSymbol":
      return files(findSymbol(index, messageRequest.value), messageRequest.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      const file = index.fileOfExtension.get(containingType)?.get(extensionNumber);
      return files(file, `${containingType} ${extensionNumber}`);
    }
    case "allExtensionNumbersOfType": {
      const name = messageRequest.value;
      if (!index.fileOfSymbol.has(name)) return notFound(name);
      const extensionNumber = [...(index.fileOfExtension.get(name)?.keys() ?? [])];
      return {
        case: "allExtensionNumbersResponse" as const,
        value: { baseTypeName: name, extensionNumber },
      };
    }
    default:
      return {
        case: "errorResponse" as const,
        value: { errorCode: Code.InvalidArgument, errorMessage: "the request asks for nothing" },
      };
  }
}

/** A file and everything it imports, so that one answer is enough. */
function files(file: DescFile | undefined, name: string) {
  if (file === undefined) return notFound(name);
  const fileDescriptorProto = [...withImports([file])].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

function notFound(name: string) {
  return {
    case: "errorResponse" as const,
    value: { errorCode: Code.NotFound, errorMessage: `${name} is not known here` },
  };
}

/** Methods, fields and enum values belong to the file of the type around them. */
function findSymbol({ fileOfSymbol }: Index, name: string): DescFile | undefined {
  return fileOfSymbol.get(name) ?? fileOfSymbol.get(name.slice(0, Math.max(0, name.lastIndexOf("."))));
}

function indexDescriptors(services: readonly DescService[]): Index {
  const fileOfName = new Map<string, DescFile>();
  const fileOfSymbol = new Map<string, DescFile>();
  const fileOfExtension = new Map<string, Map<number, DescFile>>();
  for (const file of withImports([...services.map((service) => service.file), file_google_rpc_error_details])) {
    fileOfName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      fileOfSymbol.set(type.typeName, file);
      if (type.kind !== "extension") continue;
      const numbers = fileOfExtension.get(type.extendee.typeName) ?? new Map<number, DescFile>();
      fileOfExtension.set(type.extendee.typeName, numbers.set(type.number, file));
    }
  }
  return { services: services.map(({ typeName }) => typeName), fileOfName, fileOfSymbol, fileOfExtension };
}

function withImports(files: readonly DescFile[], seen = new Set<DescFile>()): Set<DescFile> {
  for (const file of files) {
    if (seen.has(file)) continue;
    seen.add(file);
    withImports(file.dependencies, seen);
  }
  return seen;
}
