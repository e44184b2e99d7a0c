import type { ContextValues } from "@connectrpc/connect";
import { createAsyncIterable, type UniversalServerRequest } from "@connectrpc/connect/protocol";
import { invalidArgument, ServiceError } from "../../errors.js";
import { isDeadlineHeader } from "../deadline.js";
import { readEnvelope } from "../envelope.js";
import { pathOf, queryOf, type Request } from "../lane.js";
import type { Call } from "../pipeline.js";
import { readBody } from "../read-body.js";
import { protocolOf } from "./protocol.js";

/** connect wants a URL and looks at nothing but its path and query; what a client says of the host is not needed. */
const ORIGIN = "http://localhost";
/**
 * Whatever it is: connect looks at it to refuse bidirectional streams over HTTP/1, where most clients cannot read before they
 * have written all. The ones that write first are served, as gRPC-Web reflection from a browser.
 */
const HTTP_VERSION = "2.0";
/** What envelopes add to a message: one byte of flags and four of length, and as much again for an end-of-stream one. */
const FRAMING_BYTES = 10;

/**
 * The request of a unary method, with its body read. The deadline is the pipeline's, so connect is told of none. `json` is
 * the body when that is one JSON text as it stands.
 */
export async function unaryRequest(
  request: Request,
  maxBytes: number,
  contextValues: ContextValues,
  call: Call,
): Promise<{ readonly universal: UniversalServerRequest; readonly json: Uint8Array | undefined }> {
  const contentLength = request.headers["content-length"];
  const limits = { maxBytes, framingBytes: FRAMING_BYTES, contentLength, cancellation: call.cancellation };
  const body = await readBody(request, limits);
  if (isEnveloped(request.headers["content-type"])) readEnvelope(body, maxBytes, request.headers["grpc-encoding"]);
  const json = isPlainJson(request) ? body : undefined;
  if (json !== undefined) refuseUnlessUtf8(json);
  const chunks = createAsyncIterable(body.length === 0 ? [] : [body]);
  return {
    universal: { ...requestHead(request), body: chunks, signal: call.cancellation.signal, contextValues },
    json,
  };
}

/** The request of a streaming method. Its body ends with an error when the call or the server does. */
export function streamingRequest(
  request: Request,
  contextValues: ContextValues,
  call: Call,
  shutdownSignal: AbortSignal,
): UniversalServerRequest {
  const signal = AbortSignal.any([call.cancellation.signal, shutdownSignal]);
  return { ...requestHead(request), body: untilAborted(request, signal), signal, contextValues };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** connect would put U+FFFD in the place of bytes that are no UTF-8. */
function refuseUnlessUtf8(body: Uint8Array): void {
  try {
    utf8.decode(body);
  } catch {
    throw invalidArgument("body", "not valid UTF-8");
  }
}

/** Unary Connect calls are the message alone. */
function isEnveloped(contentType: string | undefined): boolean {
  const protocol = protocolOf(contentType);
  return protocol === "grpc" || protocol === "grpc-web";
}

function isPlainJson({ headers }: Request): boolean {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  return /^application\/json\b/i.test(type) && encoding === "identity";
}

function requestHead(request: Request) {
  return {
    httpVersion: HTTP_VERSION,
    method: request.method ?? "",
    url: `${ORIGIN}${pathOf(request)}?${queryOf(request)}`,
    header: headersFrom(request.headers),
  };
}

/**
 * The chunks of a body. It listens only while it waits: what is left when nobody asks for more can be dropped, which Node's own
 * iterator, with a read under way, does not allow.
 */
async function* untilAborted(request: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    signal.throwIfAborted();
    const chunk: Uint8Array | null = request.read();
    if (chunk !== null) yield chunk;
    else if (request.readableEnded) return;
    else if (request.destroyed) throw new ServiceError("CANCELLED", "the client went away");
    else await somethingHappens(request, signal);
  }
}

const EVENTS = ["readable", "end", "close", "error"] as const;

function somethingHappens(request: Request, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onEvent = () => {
      for (const event of EVENTS) request.off(event, onEvent);
      signal.removeEventListener("abort", onEvent);
      resolve();
    };
    for (const event of EVENTS) request.on(event, onEvent);
    signal.addEventListener("abort", onEvent);
  });
}

function headersFrom(nodeHeaders: Request["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(nodeHeaders)) {
    if (name.startsWith(":") || value === undefined || isDeadlineHeader(name)) continue;
    for (const item of Array.isArray(value) ? value : [value]) headers.append(name, item);
  }
  return headers;
}
