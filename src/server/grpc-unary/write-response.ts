import { type OutgoingHttpHeaders, type ServerHttp2Stream, sensitiveHeaders } from "node:http2";
import type { Call } from "../pipeline.js";

const HEADERS = { ":status": 200, "content-type": "application/grpc+proto" };
/** A header that is new every time must not push those that are not out of the compression's table (RFC 7541). */
const ONCE = { [sensitiveHeaders]: ["x-request-id"] };
const OK: OutgoingHttpHeaders = { "grpc-status": "0" };

/** Answers a call with its message, in its envelope, and the status OK. */
export function writeMessage(stream: ServerHttp2Stream, envelope: Uint8Array, call: Call): void {
  write(stream, envelope, call, OK);
}

/** Answers a call whose status is in `trailers`. A client that is gone is no error. */
export function write(
  stream: ServerHttp2Stream,
  body: Uint8Array | undefined,
  call: Call,
  trailers: OutgoingHttpHeaders,
): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const metadata = call.responseMetadata;
  stream.once("wantTrailers", () => {
    stream.sendTrailers(metadata === undefined ? trailers : { ...Object.fromEntries(metadata.trailers), ...trailers });
  });
  const headers = { ...(metadata && Object.fromEntries(metadata.headers)), ...HEADERS, ...call.commonHeaders, ...ONCE };
  stream.respond(headers, { waitForTrailers: true });
  stream.end(body);
}
