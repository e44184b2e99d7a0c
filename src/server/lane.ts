import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Readable } from "node:stream";

/** How long a client may go on sending a body that nobody wants. */
const LINGER_MS = 5_000;

/** A request of either HTTP version: what the two have in common is all that lanes use. */
export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/** One way to call: it finds the method, opens the pipeline, and turns bytes into a message and back. */
export interface Lane {
  /** Answers the request, or says `undefined` at once: not a request of this lane. Never rejects. */
  handle(request: Request, response: Response): Promise<void> | undefined;
}

/** A lane on bare HTTP/2 streams. */
export interface StreamLane {
  /** Answers the stream, or says `false` at once: not one of this lane. */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
}

/** The path of a request's target, without the query. */
export function pathOf(request: Request): string {
  const target = originForm(request);
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** What follows the first `?` of a request's target; empty when there is none. */
export function queryOf(request: Request): string {
  const target = originForm(request);
  const query = target.indexOf("?");
  return query === -1 ? "" : target.slice(query + 1);
}

export function peerAddressOf(request: Request): string | undefined {
  return request.socket.remoteAddress;
}

const ABSOLUTE_FORM = /^https?:\/\/[^/?]*/i;

/** A target in absolute form (RFC 9112 section 3.2.2) means what its path means. */
function originForm({ url = "/" }: Request): string {
  return url.startsWith("/") ? url : url.replace(ABSOLUTE_FORM, "");
}

/**
 * To be called when the answer is written. What is left of the body is read and dropped, so that the connection can go on; a
 * client that does not come to an end is cut.
 */
export function dropRest(request: Request, response: Response): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  cutWhenLingering(request instanceof Http2ServerRequest ? request.stream : request, response);
}

/** The same for what has no more than a stream. */
export function dropRestOfStream(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.destroyed) return;
  stream.resume();
  cutWhenLingering(stream, stream);
}

function cutWhenLingering(source: Readable, response: EventEmitter): void {
  const cut = setTimeout(() => source.destroy(), LINGER_MS);
  response.once("close", () => clearTimeout(cut));
  source.once("end", () => clearTimeout(cut));
}
