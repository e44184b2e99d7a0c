/**
 * gRPC, gRPC-Web and Connect, by connect's universal handlers, one for each method. They are wrapped, and not extended
 * by an interceptor, because connect answers what it cannot decode without calling one. For a unary method the body is
 * read before connect sees it: its size, its time and its end are the same business on every lane.
 */
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import {
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import { ServiceError } from "../../errors.js";
import { connectErrorFromServiceError } from "../error-map.js";
import { dropRest, type Lane, pathOf, peerAddressOf, type Request, type Response } from "../lane.js";
import type { Call, Pipeline } from "../pipeline.js";
import type { RpcMethod, RpcService } from "../rpc-method.js";
import { errorResponse } from "./error-response.js";
import { explainRefusal } from "./explain-refusal.js";
import { protocolOf } from "./protocol.js";
import { streamingRequest, unaryRequest } from "./read-request.js";
import { type Answer, readWhole, writeAnswer } from "./write-response.js";

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
      const protocol = protocolOf(request.headers["content-type"]);
      if (endpoint === undefined && protocol !== "grpc" && protocol !== "grpc-web") return undefined;
      const call = pipeline.open(endpoint?.method, {
        protocol: protocol ?? "connect",
        headers: request.headers,
        peerAddress: peerAddressOf(request),
      });
      call.attach(response);
      return serve(request, response, endpoint, call, shutdownSignal);
    },
  };
}

async function serve(
  request: Request,
  response: Response,
  endpoint: Endpoint | undefined,
  call: Call,
  shutdownSignal: AbortSignal,
): Promise<void> {
  try {
    await writeAnswer(await produce(request, response, endpoint, call, shutdownSignal), response);
  } catch (error) {
    await writeAnswer(errorResponse(call.fail(error), request.headers["content-type"]), response);
  } finally {
    dropRest(request, response);
  }
}

/** Runs the call, and writes nothing. Throws for what connect has not answered. */
async function produce(
  request: Request,
  response: Response,
  endpoint: Endpoint | undefined,
  call: Call,
  shutdownSignal: AbortSignal,
): Promise<Answer> {
  if (call.refusal !== undefined) throw call.refusal;
  if (endpoint === undefined) throw new ServiceError("UNIMPLEMENTED", "there is no such method");
  const { handler, method } = endpoint;
  refuseUnlessCallable(request, response, handler);

  const contextValues = createContextValues().set(callKey, call);
  if (method.desc.methodKind !== "unary")
    return handler(streamingRequest(request, contextValues, call, shutdownSignal));

  const { universal, json } = await unaryRequest(request, method.maxRequestBytes, contextValues, call);
  const whole = await readWhole(await handler(universal));
  if (call.error !== undefined) throw call.error;
  if (call.ran) return whole;
  throw explainRefusal(whole, method.desc.input, request.headers["content-type"], json);
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
    else if (stream !== undefined)
      router.rpc(desc, withCall(stream, shutdownSignal) as MethodImpl<typeof desc>, options);
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
  const call = callOf(context);
  try {
    return await call.run(message);
  } catch (error) {
    throw connectErrorFromServiceError(call.fail(error));
  }
}

/** A stream's handler whose errors are recorded and answered as any other's. One that is cut short ends in one. */
function withCall(stream: NonNullable<RpcMethod["stream"]>, shutdownSignal: AbortSignal) {
  return async function* (input: never, context: HandlerContext) {
    const call = callOf(context);
    call.ran = true;
    try {
      yield* stream(input, context);
      call.signal.throwIfAborted();
      shutdownSignal.throwIfAborted();
    } catch (error) {
      throw connectErrorFromServiceError(call.fail(error));
    }
  };
}

function callOf(context: HandlerContext): Call {
  const call = context.values.get(callKey);
  if (call === undefined) throw new Error("a request came past the pipeline");
  return call;
}

/** Throws for a request that connect's handler would answer with a bare status. */
function refuseUnlessCallable(request: Request, response: Response, handler: UniversalHandler): void {
  if (!handler.allowedMethods.includes(request.method ?? "")) {
    response.setHeader("allow", handler.allowedMethods.join(", "));
    throw new ServiceError("METHOD_NOT_ALLOWED", `the method ${request.method} is not allowed here`);
  }
  if (request.method === "POST" && !handler.supportedContentType(request.headers["content-type"] ?? null)) {
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", "the content type is not one that this method takes");
  }
}
