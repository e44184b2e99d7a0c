/** Server reflection as grpc-js sees it: the part of the protocol that is needed, written by hand. */
import { Client, credentials } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";

type Namespace = Parameters<typeof fromJSON>[0];
export type ReflectionVersion = "v1" | "v1alpha";

export interface ReflectionAnswer {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number; readonly error_message: string };
}

const text = (id: number) => ({ type: "string", id });

const MESSAGES = {
  ServerReflectionRequest: {
    oneofs: { message_request: { oneof: ["file_by_filename", "file_containing_symbol", "list_services"] } },
    fields: { host: text(1), file_by_filename: text(3), file_containing_symbol: text(4), list_services: text(7) },
  },
  ServerReflectionResponse: {
    fields: {
      file_descriptor_response: { type: "FileDescriptorResponse", id: 4 },
      list_services_response: { type: "ListServiceResponse", id: 6 },
      error_response: { type: "ErrorResponse", id: 7 },
    },
  },
  FileDescriptorResponse: { fields: { file_descriptor_proto: { rule: "repeated", type: "bytes", id: 1 } } },
  ListServiceResponse: { fields: { service: { rule: "repeated", type: "ServiceResponse", id: 1 } } },
  ServiceResponse: { fields: { name: text(1) } },
  ErrorResponse: { fields: { error_code: { type: "int32", id: 1 }, error_message: text(2) } },
};

const SERVICE = {
  methods: {
    ServerReflectionInfo: {
      requestType: "ServerReflectionRequest",
      requestStream: true,
      responseType: "ServerReflectionResponse",
      responseStream: true,
    },
  },
};

/** Sends the questions over one stream and resolves to their answers. */
export async function reflect(
  address: string,
  version: ReflectionVersion,
  questions: readonly Readonly<Record<string, string>>[],
): Promise<ReflectionAnswer[]> {
  const { path, requestSerialize, responseDeserialize } = describeMethod(version);
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const answers: ReflectionAnswer[] = [];
      const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      stream.on("data", (answer: ReflectionAnswer) => answers.push(answer));
      stream.on("error", reject);
      stream.on("end", () => resolve(answers));
      for (const question of questions) stream.write(question);
      stream.end();
    });
  } finally {
    client.close();
  }
}

function describeMethod(version: ReflectionVersion) {
  const nested = { ServerReflection: SERVICE, ...MESSAGES };
  const packages = fromJSON(
    { nested: { grpc: { nested: { reflection: { nested: { [version]: { nested } as Namespace } } } } } },
    { keepCase: true },
  );
  const service = packages[`grpc.reflection.${version}.ServerReflection`];
  const method = service !== undefined && !("format" in service) && service.ServerReflectionInfo;
  if (!method) throw new Error("the reflection service is not described");
  return method;
}

/** A `google.protobuf.FileDescriptorSet` of encoded files: its field 1, once for each. */
export function fileDescriptorSet(files: readonly Uint8Array[]): Buffer {
  return Buffer.concat(files.flatMap((file) => [Buffer.of(0x0a), varint(file.length), file]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
