import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "./eventually.js";
import { RawConnection } from "./raw-connection.js";
import { receiveStatus } from "./receive-status.js";
import { startTestServer, type TestServer } from "./server.js";

const ISSUE = "/latchkey.v2alpha1.ApiKeysService/AdminIssueApiKey";
const WATCH = "/grpc.health.v1.Health/Watch";
/** More than any method of these tests takes. */
const OVERSIZE_BYTES = 3 * 1024 * 1024;
const ABORTS = 150;
const REQUEST_TIMEOUT_MS = 300;
/** Between the end of the time that a request may take and the look that finds it. */
const CHECK_INTERVAL_MS = REQUEST_TIMEOUT_MS;
/** For a machine that is busy. */
const SPARE_MS = 1_500;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

function isServing(): Promise<boolean> {
  return fetch(`${server.url}/health/ready`).then((response) => response.ok);
}

function errorLines(): string[] {
  return server.log.filter((line) => /"level":"(error|fatal)"/.test(line));
}

describe("a client that goes away", () => {
  const bodies = {
    "application/connect+json": "\0\0\0\0\x02{}",
    "application/grpc-web+proto": "\0\0\0\0\0",
    "application/grpc": "\0\0\0\0\0",
  };

  test.each(Object.entries(bodies))("in the middle of a stream (%s) is no error", async (type, body) => {
    for (let round = 0; round < ABORTS; round++) {
      const connection = await RawConnection.open(server.address);
      const head = [`POST ${WATCH} HTTP/1.1`, "Host: x", `Content-Type: ${type}`, `Content-Length: ${body.length}`];
      await connection.write(`${head.join("\r\n")}\r\n\r\n${body}`);
      if (round % 2 === 0) await connection.receive((received) => received.length > 0);
      connection.destroy();
    }
    expect(await isServing()).toBe(true);
    expect(errorLines()).toEqual([]);
  });

  test("in the middle of a body is logged as CANCELLED", async () => {
    const connection = await RawConnection.open(server.address);
    const head = [
      "POST /v2alpha1/admin/issuedApiKeys HTTP/1.1",
      "Host: x",
      `Authorization: Bearer ${server.tokens.admin}`,
      "X-Request-Id: goes-away",
      "Content-Length: 100",
    ];
    await connection.write(`${head.join("\r\n")}\r\n\r\n{`);
    await eventually("the request to arrive", async () => connection);
    connection.destroy();
    const line = await eventually("the call to be logged", async () =>
      server.log.find((entry) => entry.includes('"request_id":"goes-away"')),
    );
    expect(JSON.parse(line)).toMatchObject({ code: "CANCELLED", reason: "CANCELLED" });
  });
});

describe("a body that is too large", () => {
  test.each([
    ["/v2alpha1/admin/issuedApiKeys", "application/json", 413],
    [ISSUE, "application/json", 429],
    [ISSUE, "application/grpc-web+proto", 200],
  ])("at %s (%s) is answered, and the connection goes on", async (path, type, status) => {
    const connection = await RawConnection.open(server.address);
    const authorization = `Authorization: Bearer ${server.tokens.admin}`;
    const head = [`POST ${path} HTTP/1.1`, "Host: x", authorization, `Content-Type: ${type}`];
    await connection.write(`${head.join("\r\n")}\r\nContent-Length: ${OVERSIZE_BYTES}\r\n\r\n`);
    await connection.write(Buffer.alloc(OVERSIZE_BYTES));
    await connection.write("GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n");
    const received = await connection.receive((bytes) => bytes.includes('{"status":"SERVING"}'));
    expect(received.toString("latin1")).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    connection.destroy();
  });

  test.each(["true", "false"])(
    "over gRPC (own lane: %s) is RESOURCE_EXHAUSTED on its own stream, and others on the connection go on",
    async (lane) => {
      const { url, tokens, close } = await startTestServer({ env: { LATCHKEY_SERVER_GRPC_UNARY_LANE: lane } });
      const session = connectHttp2(url);
      const post = (path: string) =>
        session.request({
          ":method": "POST",
          ":path": path,
          "content-type": "application/grpc",
          authorization: `Bearer ${tokens.admin}`,
          te: "trailers",
        });
      for (let round = 0; round < 5; round++) {
        const stream = post(ISSUE).resume();
        stream.write(Buffer.alloc(OVERSIZE_BYTES));
        const status = await receiveStatus(stream);
        expect(status["grpc-status"]).toBe("8");
        expect(status["grpc-message"]).toBe("the body must be at most 1048576 bytes");
        stream.end();
      }
      const small = post(ISSUE).resume();
      small.end(Buffer.alloc(5));
      const status = await receiveStatus(small);
      expect(status["grpc-message"]).toBe("actor_id: is required; name: is required");
      session.destroy();
      await close();
    },
  );
});

describe("a body that does not come", () => {
  test.each([
    ["over REST", "/v2alpha1/admin/issuedApiKeys", "application/json", ":status", 504],
    ["over Connect", ISSUE, "application/json", ":status", 504],
  ])("%s ends with the deadline, and nothing is written", async (_, path, type, header, expected) => {
    const session = connectHttp2(server.url);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": type,
      authorization: `Bearer ${server.tokens.admin}`,
      "grpc-timeout": "50m",
    });
    stream.write('{"name":"late","actor_id":"late"}');
    const [headers] = await once(stream, "response");
    expect(headers[header]).toBe(expected);
    stream.resume().end();
    await once(stream, "close");
    session.destroy();

    const list = await fetch(`${server.url}/v2alpha1/admin/issuedApiKeys?filter=actor_id=late`, {
      headers: { authorization: `Bearer ${server.tokens.reader}` },
    });
    expect(await list.json()).toMatchObject({ issued_api_keys: [] });
  });

  test("over gRPC ends with DEADLINE_EXCEEDED", async () => {
    const session = connectHttp2(server.url);
    const stream = session.request({
      ":method": "POST",
      ":path": ISSUE,
      "content-type": "application/grpc",
      authorization: `Bearer ${server.tokens.admin}`,
      "grpc-timeout": "50m",
    });
    stream.resume().write(Buffer.alloc(3));
    expect((await receiveStatus(stream))["grpc-status"]).toBe("4");
    stream.close(constants.NGHTTP2_CANCEL);
    session.destroy();
  });
});

describe("an HTTP/1 request that does not arrive in full", () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startTestServer({ env: { LATCHKEY_SERVER_REQUEST_TIMEOUT: `${REQUEST_TIMEOUT_MS}ms` } });
  });
  afterAll(() => strict.close());

  const TIMED_OUT = /^HTTP\/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/;
  /** The call has its answer, and then the connection its own. */
  const DEADLINE_THEN_TIMED_OUT = /^HTTP\/1.1 504 [\s\S]*"DEADLINE_EXCEEDED"[\s\S]*}HTTP\/1.1 408 Request Timeout\r\n/;
  const unary = () => [
    "POST /v2alpha1/admin/issuedApiKeys HTTP/1.1",
    "Host: x",
    `Authorization: Bearer ${strict.tokens.admin}`,
    "grpc-timeout: 50m", // well before the connection's own time, so that it is clear who answers
    "Content-Length: 100",
  ];
  const stream = [`POST ${WATCH} HTTP/1.1`, "Host: x", "Content-Type: application/grpc-web+proto", "Content-Length: 5"];
  const whole = ["GET /health/alive HTTP/1.1", "Host: x", "", ""];

  test.each<readonly [string, () => string, RegExp]>([
    ["whose first line is cut", () => "GET /health", TIMED_OUT],
    ["whose headers do not end", () => "GET /health/alive HTTP/1.1\r\nHost: x\r\n", TIMED_OUT],
    ["whose body is cut", () => `${stream.join("\r\n")}\r\n\r\n\0`, TIMED_OUT],
    [
      "that is the second on its connection",
      () => `${whole.join("\r\n")}GET`,
      /^HTTP\/1.1 200 OK\r\n[\s\S]*HTTP\/1.1 408 /,
    ],
    ["whose call has ended with its deadline", () => `${unary().join("\r\n")}\r\n\r\n{`, DEADLINE_THEN_TIMED_OUT],
  ])("%s is answered, and the connection closed in time", async (_, bytes, expected) => {
    const startedAt = performance.now();
    const connection = await RawConnection.open(strict.address);
    await connection.write(bytes());
    await connection.closed();
    const tookMs = performance.now() - startedAt;
    expect(connection.received.toString("latin1")).toMatch(expected);
    expect(tookMs).toBeGreaterThan(REQUEST_TIMEOUT_MS - 10);
    expect(tookMs).toBeLessThan(REQUEST_TIMEOUT_MS + CHECK_INTERVAL_MS + SPARE_MS);
    expect((await fetch(`${strict.url}/health/alive`)).status).toBe(200);
  });
});
