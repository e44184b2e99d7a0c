import { once } from "node:events";
import { Http2ServerResponse } from "node:http2";
import { createAsyncIterable, readAllBytes, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Response } from "../lane.js";

/** A response whose body is known whole. */
export interface WholeResponse extends Omit<UniversalServerResponse, "body"> {
  readonly body: Uint8Array;
}

export type Answer = WholeResponse | UniversalServerResponse;

/** Collects the body of a unary response, which is no larger than its message. */
export async function readWhole(answered: UniversalServerResponse): Promise<WholeResponse> {
  return { ...answered, body: await readAllBytes(answered.body ?? createAsyncIterable([]), Number.POSITIVE_INFINITY) };
}

/**
 * Writes an answer, whole or streamed. Resolves when it is out or its client gone, which is no error here. (connect-node's
 * own writer waits for an event that a server's response does not have, and rejects when the client goes.)
 */
export async function writeAnswer(answer: Answer, response: Response): Promise<void> {
  if (isGone(response) || response.headersSent) return;
  const { status, header, body, trailer } = answer;
  if (body instanceof Uint8Array) {
    writeHead(response, status, header, trailer, body.length === 0);
    if (trailer !== undefined) response.addTrailers(nodeHeaders(trailer));
    end(response, body);
    return;
  }
  // The head goes out with the first bytes: until then a stream's handler may still add to it.
  for await (const chunk of body ?? []) {
    if (isGone(response)) return;
    if (!response.headersSent) response.writeHead(status, nodeHeaders(header));
    if (!write(response, chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  if (isGone(response)) return;
  if (!response.headersSent) response.writeHead(status, nodeHeaders(header));
  response.addTrailers(nodeHeaders(trailer));
  response.end();
}

function isGone(response: Response): boolean {
  if (response instanceof Http2ServerResponse && (response.stream.destroyed || response.stream.closed)) return true;
  return response.destroyed || response.writableEnded || response.socket?.destroyed === true;
}

/** The two versions of HTTP agree on this; their types do not. */
function write(response: Response, chunk: Uint8Array): boolean {
  return (response.write as (chunk: Uint8Array) => boolean).call(response, chunk);
}

/**
 * Over HTTP/2 an answer without trailers leaves in one piece, which Node's response does not do: at the head of an answer a
 * client may end a body that was promised longer (Go's does), nghttp2 resets the stream for that, and the rest is lost.
 * What is left of the body flows from here on, for Node resets a stream that is answered so and that nobody reads; in the
 * middle of a write that makes a client of Node wait for ever.
 */
function writeHead(
  response: Response,
  status: number,
  header: Headers | undefined,
  trailer: Headers | undefined,
  isEmpty: boolean,
): void {
  if (trailer !== undefined || !(response instanceof Http2ServerResponse)) {
    response.writeHead(status, nodeHeaders(header));
    return;
  }
  const headers = { ":status": status, ...response.getHeaders(), ...nodeHeaders(header) };
  response.stream.resume();
  response.stream.respond(headers, { endStream: isEmpty });
}

function end(response: Response, body: Uint8Array): void {
  if (body.length === 0) response.end();
  else (response.end as (chunk: Uint8Array) => unknown).call(response, body);
}

function nodeHeaders(headers: Headers | undefined): Record<string, string> {
  return Object.fromEntries(headers ?? []);
}
