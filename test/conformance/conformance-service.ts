/** What the suite calls: a service that answers as each request tells it to; service.proto says how. */
import { setTimeout as delay } from "node:timers/promises";
import { create, type Message } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import type { HandlerCall } from "../../src/handlers/unary-handlers.js";
import { ErrorAsGiven } from "../../src/server/error-map.js";
import { createRpcService, type RpcService } from "../../src/server/rpc-method.js";
import type {
  Header,
  RequestedError,
  StreamDefinition,
  StreamRequest,
  UnaryDefinition,
  UnaryRequest,
} from "./messages.js";
import type { Schema } from "./schema.js";

/** `maxRequestBytes` 0: the server's own limit. */
export function createConformanceService(schema: Schema, maxRequestBytes: number): RpcService {
  const requestInfoDesc = schema.message("ConformancePayload.RequestInfo");
  const descOf = ({ $typeName }: Message) => schema.message($typeName.slice($typeName.lastIndexOf(".") + 1));
  const packed = (requests: readonly Message[]) => requests.map((request) => anyPack(descOf(request), request));

  function requestInfo(call: HandlerCall, requests: readonly Message[]) {
    return {
      requestHeaders: Object.entries(call.requestHeaders)
        .filter(([name]) => !name.startsWith(":"))
        .map(([name, value = []]) => ({ name, value: [value].flat() })),
      ...(call.timeoutMs !== undefined && { timeoutMs: BigInt(Math.trunc(call.timeoutMs)) }),
      requests: packed(requests),
      ...(call.query !== "" && { connectGetInfo: { queryParams: queryParams(call.query) } }),
    };
  }

  function errorFrom({ code, message, details }: RequestedError, more: readonly Message[]): ErrorAsGiven {
    const error = new ConnectError(message ?? "", code);
    const packedDetails = [...details, ...more.map((detail) => anyPack(requestInfoDesc, detail))];
    error.details = packedDetails.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
    return new ErrorAsGiven(error);
  }

  /** What unary and client-streaming methods answer. */
  async function answerOne(
    definition: UnaryDefinition | undefined,
    requests: readonly Message[],
    call: HandlerCall,
    metadata: { readonly headers: Headers; readonly trailers: Headers },
  ) {
    const info = requestInfo(call, requests);
    if (definition === undefined) return { payload: { requestInfo: info } };
    append(metadata.headers, definition.responseHeaders);
    append(metadata.trailers, definition.responseTrailers);
    await delay(definition.responseDelayMs);
    const { response } = definition;
    if (response.case === "error") throw errorFrom(response.value, [create(requestInfoDesc, info)]);
    return { payload: { requestInfo: info, ...(response.case && { data: response.value }) } };
  }

  async function unary(request: UnaryRequest, call: HandlerCall) {
    const metadata = { headers: call.responseHeaders, trailers: call.responseTrailers };
    return answerOne(request.responseDefinition, [request], call, metadata);
  }

  async function clientStream(requests: AsyncIterable<UnaryRequest>, context: HandlerContext, call: HandlerCall) {
    const all: UnaryRequest[] = [];
    for await (const request of requests) all.push(request);
    const metadata = { headers: context.responseHeader, trailers: context.responseTrailer };
    return answerOne(all[0]?.responseDefinition, all, call, metadata);
  }

  /** Sends what is left of the answers, and then the error; `sent` answers are out already. */
  async function* answerRest(
    definition: StreamDefinition | undefined,
    sent: number,
    requests: readonly Message[],
    context: HandlerContext,
    call: HandlerCall,
  ) {
    const { responseData = [], responseDelayMs = 0, error } = definition ?? {};
    for (const [index, data] of responseData.entries()) {
      if (index < sent) continue;
      await delay(responseDelayMs, undefined, { signal: context.signal });
      yield { payload: { data, ...(index === 0 && { requestInfo: requestInfo(call, requests) }) } };
    }
    if (error === undefined) return;
    const isFirst = sent === 0 && responseData.length === 0;
    throw errorFrom(error, isFirst ? [create(requestInfoDesc, requestInfo(call, requests))] : []);
  }

  async function* serverStream(request: StreamRequest, context: HandlerContext, call: HandlerCall) {
    announce(request.responseDefinition, context);
    yield* answerRest(request.responseDefinition, 0, [request], context, call);
  }

  async function* bidiStream(requests: AsyncIterable<StreamRequest>, context: HandlerContext, call: HandlerCall) {
    let first: StreamRequest | undefined;
    let sent = 0;
    const all: StreamRequest[] = [];
    for await (const request of requests) {
      all.push(request);
      if (first === undefined) announce(request.responseDefinition, context);
      first ??= request;
      if (!first.fullDuplex) continue;
      const data = first.responseDefinition?.responseData[sent];
      if (data === undefined) break;
      await delay(first.responseDefinition?.responseDelayMs, undefined, { signal: context.signal });
      const info = sent === 0 ? requestInfo(call, all) : { requests: packed([request]) };
      yield { payload: { data, requestInfo: info } };
      sent++;
    }
    yield* answerRest(first?.responseDefinition, sent, all, context, call);
  }

  const handlers: object = { unary, idempotentUnary: unary };
  return createRpcService(schema.service, {
    permission: Permission.PUBLIC,
    ...(maxRequestBytes > 0 && { maxRequestBytes }),
    handlers,
    streams: { clientStream, serverStream, bidiStream },
  });
}

function announce(definition: StreamDefinition | undefined, context: HandlerContext): void {
  append(context.responseHeader, definition?.responseHeaders ?? []);
  append(context.responseTrailer, definition?.responseTrailers ?? []);
}

function append(to: Headers, headers: readonly Header[]): void {
  for (const { name, value } of headers) for (const item of value) to.append(name, item);
}

function queryParams(query: string): Header[] {
  const params = new URLSearchParams(query);
  return [...new Set(params.keys())].map((name) => ({ name, value: params.getAll(name) }));
}
