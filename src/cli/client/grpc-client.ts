import {
  create,
  type DescMethodUnary,
  fromBinary,
  type JsonObject,
  type Message,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { credentials, Metadata, Client as RawClient, type ServiceError, status } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../../gen/grpc/health/v1/health_pb.js";
import { ApiKeysService } from "../../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { compileJsonDecoder } from "../../rest/json-decode.js";
import { compileJsonEncoder } from "../../rest/json-encode.js";
import { CALL_TIMEOUT_MS, CallFailure, type Client, isUnreachableCode, unreachable } from "./client.js";
import type { Endpoint } from "./endpoint.js";

const STATUS_DETAILS = "grpc-status-details-bin";
/** With which grpc-js ends some reasons. */
const TIME = /\(\d{4}-\d\d-\d\dT[^)]*\)/;

/** Calls the service over gRPC. Requests are decoded here as REST decodes them there, so mistakes have the same words. */
export function createGrpcClient(endpoint: Endpoint, token: string | undefined): Client {
  const channel = new RawClient(
    // With its scheme: a host named unix or ipv4 would be taken for another one.
    `dns:${endpoint.address}`,
    endpoint.isTls ? credentials.createSsl() : credentials.createInsecure(),
    // A proxy of the environment would be used for gRPC alone.
    { "grpc.enable_http_proxy": 0 },
  );
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);

  function unary<M extends DescMethodUnary>(method: M, request: Message): Promise<MessageShape<M["output"]>> {
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (message: Message) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        request,
        metadata,
        { deadline: Date.now() + CALL_TIMEOUT_MS },
        (error, answer) => {
          if (error !== null) reject(failureFromError(endpoint, error));
          else resolve(answer as MessageShape<M["output"]>);
        },
      );
    });
  }

  return {
    async call(rpc, request) {
      const method: DescMethodUnary = ApiKeysService.method[rpc];
      const answer = await unary(method, compileJsonDecoder(method.input)(request));
      return JSON.parse(compileJsonEncoder(method.output)(answer)) as JsonObject;
    },
    async checkHealth() {
      const answer = await unary(Health.method.check, create(Health.method.check.input));
      return ServingStatus[answer.status] ?? String(answer.status);
    },
    close: async () => channel.close(),
  };
}

/** An error without details is not the service's: nobody answered, or somebody else. */
function failureFromError(endpoint: Endpoint, { code, details, metadata }: ServiceError): CallFailure {
  const isUnreachable = isUnreachableCode(status[code] ?? "");
  const [bytes] = metadata.get(STATUS_DETAILS);
  const rich = bytes instanceof Uint8Array ? fromBinary(StatusSchema, bytes).details : [];
  const detail = (typeName: string) => rich.find(({ typeUrl }) => typeUrl.endsWith(`/${typeName}`))?.value;
  const info = detail(ErrorInfoSchema.typeName);
  if (info === undefined && isUnreachable) return unreachable(endpoint.text, reasonOf(code, details));
  if (info === undefined) {
    return new CallFailure(`${endpoint.text} answered ${status[code]} (${details}), and not as Latchkey does`);
  }
  const violations = detail(BadRequestSchema.typeName);
  return new CallFailure(details, {
    reason: fromBinary(ErrorInfoSchema, info).reason,
    fields: violations === undefined ? [] : fromBinary(BadRequestSchema, violations).fieldViolations,
    isUnreachable,
  });
}

/** grpc-js says much about a connection that it did not get; what went wrong last, or its code, is what people look for. */
function reasonOf(code: status, details: string): string {
  if (code === status.DEADLINE_EXCEEDED) return `no answer within ${CALL_TIMEOUT_MS / 1_000} s`;
  const [, last = details] = /Last error: (?:Error: )?(.*?)(?:\. Resolution note|$)/s.exec(details) ?? [];
  const [, openssl] = /:SSL routines:[^:]*:([^:]+):/.exec(last) ?? [];
  const [name] = /\bE[A-Z]{3,}\b/.exec(last) ?? [];
  return openssl ?? name ?? last.replace(TIME, "").trim();
}
