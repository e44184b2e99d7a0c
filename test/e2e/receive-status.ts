import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";

/**
 * The headers that say how a gRPC call ended: its trailers, or, when there is nothing before the status, the only headers of
 * the answer ("Trailers-Only", PROTOCOL-HTTP2.md). Rejects when the stream fails, ends without a status, or goes on after it.
 */
export function receiveStatus(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.on("response", (headers, flags) => {
      if (headers["grpc-status"] === undefined) return;
      if (flags & constants.NGHTTP2_FLAG_END_STREAM) resolve(headers);
      else reject(new Error("a status in the headers, and the stream goes on"));
    });
    stream.on("trailers", resolve);
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("the stream was closed without a status")));
  });
}
