import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request of either HTTP version: what the two have in common is all that lanes use. */
export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/** One way to call: it finds the method, opens the pipeline, and turns bytes into a message and back. */
export interface Lane {
  /** Answers the request, or says `undefined` at once: not a request of this lane. Never rejects. */
  handle(request: Request, response: Response): Promise<void> | undefined;
}

/** The path of a request's target, without the query. */
export function pathOf(request: Request): string {
  const target = request.url ?? "/";
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** What follows the first `?` of a request's target; empty when there is none. */
export function queryOf(request: Request): string {
  const target = request.url ?? "/";
  const query = target.indexOf("?");
  return query === -1 ? "" : target.slice(query + 1);
}

export function peerAddressOf(request: Request): string | undefined {
  return request.socket.remoteAddress;
}
