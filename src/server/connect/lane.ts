/**
 * gRPC, gRPC-Web and Connect, by connect's universal handlers, one for each method. They are wrapped, and not extended
 * by an interceptor, because connect answers what it cannot decode without calling one.
 */
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import {
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import { readAllBytes, type UniversalHandler } from "@connectrpc/connect/protocol";
import { compressionGzip, universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { ServiceError } from "../../errors.js";
import { connectErrorFromServiceError, httpStatus } from "../error-map.js";
import { type Lane, pathOf, peerAddressOf, type Request, type Response } from "../lane.js";
import type { Call, Pipeline } from "../pipeline.js";
import type { RpcMethod, RpcService } from "../rpc-method.js";
import { errorResponse, explainRefusal, protocolOf } from "./error-response.js";
import { writeResponse } from "./write-response.js";

/** What Connect's JSON looks like here: plain ProtoJSON, with the names of the protos. */
const JSON_OPTIONS = { useProtoFieldName: true, ignoreUnknownFields: false };

const callKey = createContextKey<Call | undefined>(undefined);

interface Endpoint {
  readonly method: RpcMethod;
  readonly handler: UniversalHandler;
}

export interface ConnectLaneOptions {
  readonly services: readonly RpcService[];
  readonly pipeline: Pipeline;
  /** Ends streams when the server stops. */
  readonly shutdownSignal: AbortSignal;
}

/** Takes every request to the path of an RPC, and gRPC requests to any path. */
export function createConnectLane({ services, pipeline, shutdownSignal }: ConnectLaneOptions): Lane {
  const endpoints = createEndpoints(services, shutdownSignal);

  return {
    handle(request, response) {
      const endpoint = endpoints.get(pathOf(request));
      const contentType = request.headers["content-type"];
      if (endpoint === undefined && !isGrpc(contentType)) return undefined;
      const call = pipeline.open(endpoint?.method, {
        protocol: protocolOf(contentType) ?? "connect",
        headers: request.headers,
        peerAddress: peerAddressOf(request),
      });
      call.attach(response);
      return answer(request, response, endpoint, call);
    },
  };
}

async function answer(request: Request, response: Response, endpoint: Endpoint | undefined, call: Call): Promise<void> {
  const contentType = request.headers["content-type"];
  try {
    if (call.refusal !== undefined) throw call.refusal;
    if (endpoint === undefined) throw new ServiceError("UNIMPLEMENTED", "there is no such method");
    refuseUnlessCallable(request, response, endpoint.handler);

    const contextValues = createContextValues().set(callKey, call);
    const universal = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    const answered = await endpoint.handler(universal);
    if (answered.body === undefined || endpoint.method.desc.methodKind !== "unary") {
      return await writeResponse(answered, response);
    }
    const whole = { ...answered, body: await readAllBytes(answered.body, Number.POSITIVE_INFINITY) };
    await writeResponse(call.ran ? whole : explainRefusal(whole, contentType, call), response);
  } catch (error) {
    request.resume(); // what is left of the body is not wanted, but the connection goes on
    const refusal = call.fail(error);
    const status = httpStatus(refusal.reason);
    const whole = errorResponse(connectErrorFromServiceError(refusal), contentType);
    const unsupported = protocolOf(contentType) === undefined;
    await writeResponse(unsupported ? { ...whole, status } : whole, response);
  }
}

function createEndpoints(services: readonly RpcService[], shutdownSignal: AbortSignal): ReadonlyMap<string, Endpoint> {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip],
    jsonOptions: JSON_OPTIONS,
    shutdownSignal,
  });
  const methods = services.flatMap((service) => service.methods);
  for (const { desc, maxRequestBytes, stream } of methods) {
    const options = { readMaxBytes: maxRequestBytes };
    if (desc.methodKind === "unary") router.rpc(desc as DescMethodUnary, runCall, options);
    else if (stream !== undefined) router.rpc(desc, stream as MethodImpl<typeof desc>, options);
    else throw new Error(`${desc.parent.typeName}/${desc.name} is a stream without a handler`);
  }
  return new Map(
    router.handlers.flatMap((handler) => {
      const method = methods.find(({ desc }) => desc === handler.method);
      return method === undefined ? [] : [[handler.requestPath, { method, handler }] as const];
    }),
  );
}

/** What connect calls with a decoded message, for every unary method. */
async function runCall(message: Message, context: HandlerContext): Promise<Message> {
  const call = context.values.get(callKey);
  if (call === undefined) throw new Error("a request came past the pipeline");
  try {
    return await call.run(message);
  } catch (error) {
    throw connectErrorFromServiceError(call.fail(error));
  }
}

/** Throws for a request that connect's handler would answer with a bare status. */
function refuseUnlessCallable(request: Request, response: Response, handler: UniversalHandler): void {
  const contentType = request.headers["content-type"];
  if (!handler.allowedMethods.includes(request.method ?? "")) {
    response.setHeader("allow", handler.allowedMethods.join(", "));
    throw new ServiceError("METHOD_NOT_ALLOWED", `the method ${request.method} is not allowed here`);
  }
  if (request.method === "POST" && !handler.supportedContentType(contentType ?? null)) {
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", "the content type is not one that this method takes");
  }
}

function isGrpc(contentType: string | undefined): boolean {
  const protocol = protocolOf(contentType);
  return protocol === "grpc" || protocol === "grpc-web";
}
