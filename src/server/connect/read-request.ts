import type { ContextValues } from "@connectrpc/connect";
import { createAsyncIterable, type UniversalServerRequest } from "@connectrpc/connect/protocol";
import { invalidArgument } from "../../errors.js";
import { isDeadlineHeader } from "../deadline.js";
import { pathOf, queryOf, type Request } from "../lane.js";
import type { Call } from "../pipeline.js";
import { readBody } from "../read-body.js";

/** connect wants a URL and looks at nothing but its path and query; what a client says of the host is not needed. */
const ORIGIN = "http://localhost";
/** What envelopes add to a message: one byte of flags and four of length, and as much again for an end-of-stream one. */
const FRAMING_BYTES = 10;
const NO_BODY = new Uint8Array(0);

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
  const body = (await readBody(request, { maxBytes, framingBytes: FRAMING_BYTES, signal: call.signal })) ?? NO_BODY;
  const json = isPlainJson(request) ? body : undefined;
  if (json !== undefined) refuseUnlessUtf8(json);
  const chunks = createAsyncIterable(body.length === 0 ? [] : [body]);
  return { universal: { ...requestHead(request), body: chunks, signal: call.signal, contextValues }, json };
}

/** The request of a streaming method. Its body ends with an error when the call or the server does. */
export function streamingRequest(
  request: Request,
  contextValues: ContextValues,
  call: Call,
  shutdownSignal: AbortSignal,
): UniversalServerRequest {
  const signal = AbortSignal.any([call.signal, shutdownSignal]);
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

function isPlainJson({ headers }: Request): boolean {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  return /^application\/json\b/i.test(type) && encoding === "identity";
}

function requestHead(request: Request) {
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    url: `${ORIGIN}${pathOf(request)}?${queryOf(request)}`,
    header: headersFrom(request.headers),
  };
}

/** The chunks of a body; what is left of it stays with the request. */
async function* untilAborted(request: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false });
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined); // the stream may end first
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = await Promise.race([chunks.next(), aborted]);
    if (done) return;
    yield value;
  }
}

function headersFrom(nodeHeaders: Request["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(nodeHeaders)) {
    if (name.startsWith(":") || value === undefined || isDeadlineHeader(name)) continue;
    for (const item of Array.isArray(value) ? value : [value]) headers.append(name, item);
  }
  return headers;
}
