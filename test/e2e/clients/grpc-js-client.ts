/** grpc-js, a gRPC implementation that shares no code with the server, with the protos that the server's reflection gives. */
import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, type ServiceDefinition } from "@grpc/proto-loader";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { type Answer, type ApiClient, bearer, type Refusal } from "./api-client.js";
import { readDetails, readMetadata } from "./error-details.js";
import { jsonFromResponse, requestFromJson } from "./grpc-js-values.js";
import { fileDescriptorSet, reflect } from "./grpc-reflection.js";

const SERVICE = "latchkey.v2alpha1.ApiKeysService";
const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

export async function createGrpcJsClient(url: string): Promise<ApiClient> {
  const address = new URL(url).host;
  const service = await loadService(address);
  const client = new Client(address, credentials.createInsecure());
  return {
    call: (rpc, request, { token, headers } = {}) => {
      const method = service[rpc];
      if (method === undefined) throw new Error(`reflection knows no ${rpc}`);
      const metadata = new Metadata();
      for (const [name, value] of Object.entries({ ...bearer(token), ...headers })) metadata.set(name, value);

      return new Promise<Answer | Refusal>((resolve, reject) => {
        let initial = new Metadata();
        let outcome: { readonly error: ServiceError | null; readonly response: object | undefined } | undefined;
        const call = client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          requestFromJson(request),
          metadata,
          (error, response) => {
            outcome = { error, response };
          },
        );
        call.on("metadata", (received) => {
          initial = received;
        });
        // Comes last, after the callback.
        call.on("status", ({ metadata: trailers }) => {
          try {
            resolve({ ...readOutcome(outcome?.error, outcome?.response), headers: headersOf(initial, trailers) });
          } catch (error) {
            reject(error);
          }
        });
      });
    },
    close: () => client.close(),
  };
}

async function loadService(address: string): Promise<ServiceDefinition> {
  const [answer] = await reflect(address, "v1", [{ file_containing_symbol: SERVICE }]);
  const files = answer?.file_descriptor_response?.file_descriptor_proto ?? [];
  const service = loadFileDescriptorSetFromBuffer(fileDescriptorSet(files), OPTIONS)[SERVICE];
  if (service === undefined || "format" in service) throw new Error(`reflection knows no ${SERVICE}`);
  return service;
}

function readOutcome(error: ServiceError | null | undefined, response: object | undefined): Answer | Refusal {
  if (error) return refusalFromError(error);
  if (response === undefined) throw new Error("a call that ended without an answer");
  return { ok: true, response: jsonFromResponse({ ...response }), headers: new Headers() };
}

function refusalFromError({ code, details, metadata }: ServiceError): Refusal {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const rich = bytes instanceof Uint8Array ? fromBinary(StatusSchema, bytes) : undefined;
  if (rich !== undefined && (rich.code !== code || rich.message !== details)) {
    throw new Error(`google.rpc.Status says ${rich.code} ${rich.message}, grpc-status ${code} ${details}`);
  }
  const found = rich?.details.map(({ typeUrl, value }) => ({ type: typeUrl.replace(/^.*\//, ""), value })) ?? [];
  return {
    ok: false,
    code: status[code],
    message: details,
    ...readDetails(found),
    metadata: readMetadata(found),
    headers: new Headers(),
  };
}

function headersOf(...received: readonly Metadata[]): Headers {
  const headers = new Headers();
  for (const metadata of received) {
    for (const [name, value] of Object.entries(metadata.getMap())) {
      if (typeof value === "string") headers.append(name, value);
    }
  }
  return headers;
}
