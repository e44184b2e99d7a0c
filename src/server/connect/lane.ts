/**
 * gRPC, gRPC-Web and Connect, by connect's universal handlers, one for each method. They are wrapped, and not extended
 * by an interceptor, because connect answers what it cannot decode without calling one. For a unary method the body is
 * read before connect sees it: its size, its time and its end are the same business on every lane.
 */
import type { DescMethod, DescMethodUnary, Message, Registry } from "@bufbuild/protobuf";
import {
  ConnectError,
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
import { dropRest, type Lane, pathOf, peerAddressOf, queryOf, type Request, type Response } from "../lane.js";
import type { Call, Pipeline } from "../pipeline.js";
import type { RpcMethod, RpcService, StreamHandler } from "../rpc-method.js";
import { errorResponse } from "./error-response.js";
import { explainError, explainRefusal } from "./explain-refusal.js";
import { protocolOf } from "./protocol.js";
import { streamingRequest, unaryRequest } from "./read-request.js";
import { type Answer, readWhole, writeAnswer } from "./write-response.js";

/** What Connect's JSON looks like here: plain ProtoJSON, with the names of the protos. */
const JSON_OPTIONS = { useProtoFieldName: true, ignoreUnknownFields: false };

/** Connect's clients send it with every unary call. */
const CONNECT_VERSION_HEADER = "connect-protocol-version";

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
  /** What may stand in a google.protobuf.Any in JSON. */
  readonly registry?: Registry | undefined;
}

/** Takes every request to the path of an RPC, and to any path those of gRPC, and of Connect when they say so. */
export function createConnectLane(options: ConnectLaneOptions): Lane {
  const { pipeline, shutdownSignal } = options;
  const endpoints = createEndpoints(options);

  return {
    handle(request, response) {
      const endpoint = endpoints.get(pathOf(request));
      const protocol = protocolOf(request.headers["content-type"]);
      if (endpoint === undefined && !isRpc(protocol, request)) return undefined;
      const call = pipeline.open(endpoint?.method, {
        protocol: protocol ?? "connect",
        headers: request.headers,
        peerAddress: peerAddressOf(request),
        ...(request.method === "GET" && { query: queryOf(request) }),
      });
      call.attach(response);
      for (const [name, value] of Object.entries(call.commonHeaders)) response.setHeader(name, value);
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
    const { "content-type": contentType } = request.headers;
    await writeAnswer(errorResponse(call.fail(error), contentType, call.responseMetadata), response);
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
  if (endpoint === undefined) throw noSuchMethod(request);
  const { handler, method } = endpoint;
  refuseUnlessCallable(request, response, handler);

  const contextValues = createContextValues().set(callKey, call);
  if (method.desc.methodKind !== "unary") {
    const answered = await handler(streamingRequest(request, contextValues, call, shutdownSignal));
    if (call.ran) return answered;
    throw explainRefusal(await readWhole(answered), method.desc.input, request.headers["content-type"], undefined);
  }

  const { universal, json } = await unaryRequest(request, method.maxRequestBytes, contextValues, call);
  const whole = await readWhole(await handler(universal));
  if (call.error !== undefined) throw call.error;
  if (call.ran) return whole;
  throw explainRefusal(whole, method.desc.input, request.headers["content-type"], json);
}

function createEndpoints({ services, shutdownSignal, registry }: ConnectLaneOptions): ReadonlyMap<string, Endpoint> {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip],
    jsonOptions: registry === undefined ? JSON_OPTIONS : { ...JSON_OPTIONS, registry },
    shutdownSignal,
  });
  const methods = services.flatMap((service) => service.methods);
  for (const { desc, maxRequestBytes, stream } of methods) {
    const options = { readMaxBytes: maxRequestBytes };
    if (desc.methodKind === "unary") router.rpc(desc as DescMethodUnary, runCall, options);
    else if (stream !== undefined)
      router.rpc(desc, withCall(desc, stream, shutdownSignal) as MethodImpl<typeof desc>, options);
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
    const answer = await call.run(message);
    call.responseMetadata?.headers.forEach((value, name) => {
      context.responseHeader.append(name, value);
    });
    call.responseMetadata?.trailers.forEach((value, name) => {
      context.responseTrailer.append(name, value);
    });
    return answer;
  } catch (error) {
    throw connectErrorFromServiceError(call.fail(error));
  }
}

/** A stream's handler whose errors are recorded and answered as any other's. One that is cut short ends in one. */
function withCall(desc: DescMethod, stream: StreamHandler, shutdownSignal: AbortSignal) {
  const begin = (input: unknown, context: HandlerContext, call: Call) => {
    call.ran = true;
    const isStream = desc.methodKind === "client_streaming" || desc.methodKind === "bidi_streaming";
    return stream((isStream ? explained(input as AsyncIterable<Message>, desc) : input) as never, context, call);
  };

  /** A handler that stops because it is told to may end in an error of its own, such as AbortError. */
  const failure = (call: Call, error: unknown) => {
    const { reason } = [call.cancellation.signal, shutdownSignal].find(({ aborted }) => aborted) ?? {};
    return connectErrorFromServiceError(call.fail(reason ?? error));
  };

  async function answerOne(input: unknown, context: HandlerContext) {
    const call = callOf(context);
    try {
      return await call.untilCancelled(begin(input, context, call) as Promise<object>);
    } catch (error) {
      throw failure(call, error);
    }
  }

  async function* answerMany(input: unknown, context: HandlerContext) {
    const call = callOf(context);
    try {
      yield* begin(input, context, call) as AsyncIterable<object>;
      call.cancellation.signal.throwIfAborted();
      shutdownSignal.throwIfAborted();
    } catch (error) {
      throw failure(call, error);
    }
  }

  return desc.methodKind === "client_streaming" ? answerOne : answerMany;
}

/** The messages of a stream; what connect says of one that it cannot take is the caller's mistake, and not the handler's. */
async function* explained(messages: AsyncIterable<Message>, { input }: DescMethod): AsyncGenerator<Message> {
  try {
    yield* messages;
  } catch (error) {
    throw error instanceof ConnectError ? explainError(error, input) : error;
  }
}

function callOf(context: HandlerContext): Call {
  const call = context.values.get(callKey);
  if (call === undefined) throw new Error("a request came past the pipeline");
  return call;
}

function isRpc(protocol: ReturnType<typeof protocolOf>, { headers }: Request): boolean {
  return protocol === "grpc" || protocol === "grpc-web" || CONNECT_VERSION_HEADER in headers;
}

/** In Connect it is the status of HTTP that says so. */
function noSuchMethod({ headers }: Request): ServiceError {
  const isConnect = CONNECT_VERSION_HEADER in headers;
  return new ServiceError(isConnect ? "ROUTE_NOT_FOUND" : "UNIMPLEMENTED", "there is no such method");
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
