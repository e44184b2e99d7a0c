import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "./eventually.js";
import { RawConnection } from "./raw-connection.js";
import { startTestServer, type TestServer } from "./server.js";

const ISSUE = "/latchkey.v2alpha1.ApiKeysService/AdminIssueApiKey";
const WATCH = "/grpc.health.v1.Health/Watch";
/** More than any method of these tests takes. */
const OVERSIZE_BYTES = 3 * 1024 * 1024;
const ABORTS = 150;

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
        const [trailers] = await once(stream, "trailers");
        expect(trailers["grpc-status"]).toBe("8");
        expect(trailers["grpc-message"]).toBe("the body must be at most 1048576 bytes");
        stream.end();
      }
      const small = post(ISSUE).resume();
      small.end(Buffer.alloc(5));
      const [trailers] = await once(small, "trailers");
      expect(trailers["grpc-message"]).toBe("actor_id: is required; name: is required");
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
    const [trailers] = await once(stream, "trailers");
    expect(trailers["grpc-status"]).toBe("4");
    stream.close(constants.NGHTTP2_CANCEL);
    session.destroy();
  });
});
