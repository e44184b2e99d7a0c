import { type OutgoingHttpHeaders, type ServerHttp2Stream, sensitiveHeaders } from "node:http2";
import { type Call, REQUEST_ID_HEADER } from "../pipeline.js";

const OK: OutgoingHttpHeaders = { "grpc-status": "0" };
/** A header that is new every time must not push those that are not out of the compression's table (RFC 7541). */
const NEVER_INDEXED = [REQUEST_ID_HEADER];

/** Answers a call with its message, in its envelope, and the status OK. A client that is gone is no error. */
export function writeMessage(stream: ServerHttp2Stream, envelope: Uint8Array, call: Call): void {
  if (isGone(stream)) return;
  respond(stream, call, OK);
  stream.end(envelope);
}

/**
 * Answers a call that has no message; its status is in `trailers`. With nothing to say before them they are all there is
 * ("Trailers-Only", PROTOCOL-HTTP2.md), and leave in one piece: at the head of an answer a client may end a body that was
 * promised longer (Go's does), nghttp2 resets the stream for that, and what follows is lost.
 */
export function writeStatus(stream: ServerHttp2Stream, trailers: OutgoingHttpHeaders, call: Call): void {
  if (isGone(stream)) return;
  if (call.responseMetadata === undefined) {
    stream.respond({ ...responseHeaders(call), ...trailers }, { endStream: true });
    return;
  }
  respond(stream, call, trailers);
  stream.end();
}

function respond(stream: ServerHttp2Stream, call: Call, trailers: OutgoingHttpHeaders): void {
  const metadata = call.responseMetadata;
  stream.on("wantTrailers", () => {
    stream.sendTrailers(metadata === undefined ? trailers : { ...Object.fromEntries(metadata.trailers), ...trailers });
  });
  const headers = responseHeaders(call);
  const all = metadata === undefined ? headers : { ...Object.fromEntries(metadata.headers), ...headers };
  stream.respond(all, { waitForTrailers: true });
}

function responseHeaders(call: Call): OutgoingHttpHeaders {
  return {
    ":status": 200,
    "content-type": "application/grpc+proto",
    [REQUEST_ID_HEADER]: call.requestId,
    [sensitiveHeaders]: NEVER_INDEXED,
  };
}

function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.headersSent;
}
