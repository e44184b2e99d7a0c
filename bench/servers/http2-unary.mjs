/**
 * The least that a unary gRPC server on node:http2 does: reads one frame, answers a prepared one with trailers.
 * Started with the answer's frame in base64; says its URL.
 */
import { createServer } from "node:http2";

const FRAME_HEAD_BYTES = 5;
const answer = Buffer.from(process.argv[2], "base64");

const server = createServer();
server.on("stream", (stream) => {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("error", () => stream.close());
  stream.on("end", () => {
    const frame = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const isWhole = frame.length >= FRAME_HEAD_BYTES && frame.readUInt32BE(1) === frame.length - FRAME_HEAD_BYTES;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": isWhole ? "0" : "13" }));
    stream.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready at http://127.0.0.1:${server.address().port}\n`));
process.once("SIGTERM", () => process.exit());
