/** How each limit of the listener answers. */
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { RawConnection } from "../e2e/raw-connection.js";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { FrameType, frame, headersFrame, opening, readFrames, resetFrame } from "./http2-frames.js";
import { VERIFY_PATH } from "./victim.js";

const MAX_HEADERS = 128;
const MAX_HEADER_BYTES = 16 * 1024;
const MANY = 10_000;
const MAX_STREAMS = 256;
/** More than may be reset at once. */
const RESETS = 1_100;
const TOO_LARGE = /^HTTP\/1.1 431 Request Header Fields Too Large\r\n/;
const PLAIN = { ":method": "POST", ":scheme": "http", ":path": VERIFY_PATH, ":authority": "x" };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { LATCHKEY_SERVER_FIRST_BYTE_TIMEOUT: "200ms" } });
});
afterAll(() => server.close());

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, "b"]));
}

describe("HTTP/1.1", () => {
  const ask = async (headers: Readonly<Record<string, string>>) => {
    const connection = await RawConnection.open(server.address);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    await connection.write(["GET /health/alive HTTP/1.1", "host: x", ...lines, "", ""].join("\r\n"));
    await connection.receive((received) => received.includes("\r\n\r\n"));
    return connection;
  };

  test("takes as many headers as may be", async () => {
    const connection = await ask(manyHeaders(MAX_HEADERS - 1));
    expect(connection.received.toString()).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    connection.destroy();
  });

  test.each([
    ["one header too many", manyHeaders(MAX_HEADERS)],
    ["10,000 headers", manyHeaders(MANY)],
    ["a header that is too long", { a: "x".repeat(MAX_HEADER_BYTES) }],
  ])("answers %s with 431, and closes", async (_, headers) => {
    const connection = await ask(headers);
    await connection.closed();
    expect(connection.received.toString()).toMatch(TOO_LARGE);
  });
});

describe("HTTP/2", () => {
  const session = async <T>(use: (session: ClientHttp2Session) => Promise<T>): Promise<T> => {
    const client = connect(server.url);
    await once(client, "remoteSettings");
    return use(client).finally(() => client.destroy());
  };
  const get = (client: ClientHttp2Session, headers: Readonly<Record<string, string>>) =>
    new Promise<{ readonly status: unknown; readonly code: number | undefined }>((resolve) => {
      const stream = client.request({ ":path": "/health/alive", ...headers }).resume();
      let status: unknown;
      stream.on("response", (received) => {
        status = received[":status"];
      });
      stream.on("error", () => undefined); // its code is looked at
      stream.on("close", () => resolve({ status, code: stream.rstCode }));
    });

  test("says what it takes", async () => {
    const { maxConcurrentStreams, maxHeaderListSize } = await session(async (client) => client.remoteSettings);
    expect([maxConcurrentStreams, maxHeaderListSize]).toEqual([MAX_STREAMS, MAX_HEADER_BYTES]);
  });

  test.each([
    ["one header too many", manyHeaders(MAX_HEADERS)],
    ["a header that is too long", { a: "x".repeat(MAX_HEADER_BYTES - 300), b: "x".repeat(300) }],
  ])("resets the stream of %s, and the connection goes on", async (_, headers) => {
    await session(async (client) => {
      expect(await get(client, headers)).toEqual({ status: undefined, code: constants.NGHTTP2_ENHANCE_YOUR_CALM });
      expect(await get(client, {})).toEqual({ status: 200, code: constants.NGHTTP2_NO_ERROR });
    });
  });

  test("takes leave of a client that resets too many streams", async () => {
    const connection = await RawConnection.open(server.address);
    const calls = Array.from({ length: RESETS }, (_, index) => 2 * index + 1);
    const frames = calls.map((id) => Buffer.concat([headersFrame(id, PLAIN), resetFrame(id)]));
    await connection.write(Buffer.concat([opening(), ...frames]));
    const isGoAway = ({ type }: { readonly type: number }) => type === FrameType.goAway;
    const received = await connection.receive((bytes) => readFrames(bytes).some(isGoAway));
    expect(readFrames(received).filter(isGoAway)).toHaveLength(1);
    connection.destroy();
  });

  // It made nghttp2 abort the process.
  test("survives GOAWAY with half a header block, and a frame that may not be there, behind it", async () => {
    const connection = await RawConnection.open(server.address);
    const goAway = frame(FrameType.goAway, 0, 0, Buffer.alloc(8));
    const broken = frame(FrameType.priority, 0, 1, Buffer.alloc(4));
    await connection.write(Buffer.concat([opening(), goAway, headersFrame(1, PLAIN, 0), broken]));
    await connection.closed();
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });
});

test.each([
  ["nothing", ""],
  ["half of the HTTP/2 preface", "PRI * HTTP/2.0\r\n"],
])("a connection that says %s is closed after the first-byte timeout", async (_, bytes) => {
  const connection = await RawConnection.open(server.address);
  await connection.write(bytes);
  await connection.closed();
  expect(connection.received.length).toBe(0);
});

test.each([
  ["a TLS hello", Buffer.from("16030100c8010000c40303", "hex")],
  ["the PROXY protocol", Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")],
  ["no HTTP", Buffer.from("SSH-2.0-x\r\n")],
])("%s is answered with 400, and the connection closed", async (_, bytes) => {
  const connection = await RawConnection.open(server.address);
  await connection.write(bytes);
  await connection.closed();
  expect(connection.received.toString()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
});
