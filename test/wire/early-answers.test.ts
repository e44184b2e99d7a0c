/**
 * Calls that are refused while their bodies are still to come, over HTTP/2: the answer leaves at once and whole, and what
 * follows is taken and dropped. A stream that is reset instead can leave its client waiting for ever for a write.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { RawConnection } from "../e2e/raw-connection.js";
import { startTestServer, type TestServer } from "../e2e/server.js";
import {
  END_HEADERS,
  END_STREAM,
  type Frame,
  FrameType,
  frame,
  headersFrame,
  opening,
  readFrames,
} from "./http2-frames.js";
import { VERIFY_PATH } from "./victim.js";

const STREAM_ID = 1;
const ACK = 0x1;
const ONLY_HEADERS = [{ type: FrameType.headers, flags: END_HEADERS | END_STREAM }];
const HEADERS_AND_BODY = [
  { type: FrameType.headers, flags: END_HEADERS },
  { type: FrameType.data, flags: END_STREAM },
];

describe.each(["true", "false"])("grpc-unary lane: %s", (lane) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ env: { LATCHKEY_SERVER_GRPC_UNARY_LANE: lane } });
  });
  afterAll(() => server.close());

  test.each([
    ["gRPC", VERIFY_PATH, "application/grpc", ONLY_HEADERS],
    ["gRPC, JSON", VERIFY_PATH, "application/grpc+json", ONLY_HEADERS],
    ["gRPC, no such method", "/no.such.Service/Method", "application/grpc", ONLY_HEADERS],
    ["gRPC-Web", VERIFY_PATH, "application/grpc-web+proto", HEADERS_AND_BODY],
    ["Connect", VERIFY_PATH, "application/json", HEADERS_AND_BODY],
    ["Connect, a content type that is not taken", VERIFY_PATH, "text/plain", HEADERS_AND_BODY],
  ])("%s", async (_, path, type, expected) => {
    const connection = await RawConnection.open(server.address);
    const fields = { ":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "content-type": type };
    await connection.write(Buffer.concat([opening(), headersFrame(STREAM_ID, fields)]));
    await connection.receive((bytes) => answerIn(bytes).some(({ flags }) => flags & END_STREAM));
    const half = frame(FrameType.data, 0, STREAM_ID, Buffer.alloc(3));
    const end = frame(FrameType.data, END_STREAM, STREAM_ID, Buffer.alloc(3));
    await connection.write(Buffer.concat([half, end, frame(FrameType.ping, 0, 0, Buffer.alloc(8))]));
    const received = await connection.receive((bytes) => readFrames(bytes).some(isPong));
    expect(answerIn(received).map(({ type: kind, flags }) => ({ type: kind, flags }))).toEqual(expected);
    connection.destroy();
  });
});

/** What has to do with the stream, but for the room that it is given. */
function answerIn(bytes: Buffer): Frame[] {
  return readFrames(bytes).filter(({ type, streamId }) => streamId === STREAM_ID && type !== FrameType.windowUpdate);
}

function isPong({ type, flags }: Frame): boolean {
  return type === FrameType.ping && flags === ACK;
}
