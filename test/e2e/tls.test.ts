/** TLS on the one port: ALPN tells the HTTP version, and clients may have to show a certificate. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { opening } from "../wire/http2-frames.js";
import { createRandom } from "./create-random.js";
import { eventually } from "./eventually.js";
import { HeldSocket } from "./held-socket.js";
import { RawConnection } from "./raw-connection.js";
import { startTestServer, type TestServer } from "./server.js";
import { createTestCertificates, hasOpenssl, type TestCertificates } from "./test-certificates.js";

const SEED = 5;
/** The first byte of a TLS record that says what went wrong (RFC 8446 section 5.1), which is all that may come back. */
const ALERT = 0x15;
const ALERT_BYTES = 7;

/** Their answers are more than a socket holds before it asks to be waited for. */
const PIPELINED = 200;
/** A stream that says something at once, and ends with its deadline; until then, what is answered behind it has to wait. */
const ENDS_LATE = [
  "POST /grpc.health.v1.Health/Watch HTTP/1.1",
  "host: x",
  "content-type: application/grpc-web+proto",
  "grpc-timeout: 300m",
  "content-length: 5",
  "",
  "\0\0\0\0\0",
].join("\r\n");

const available = hasOpenssl();

(available ? describe : describe.skip)(available ? "TLS" : "TLS, skipped: put openssl on the PATH to run it", () => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
  let certificates: TestCertificates;
  let open: TestServer;
  let mutual: TestServer;

  beforeAll(async () => {
    certificates = createTestCertificates(directory);
    const env = {
      LATCHKEY_SERVER_TLS_CERT_FILE: certificates.serverCertFile,
      LATCHKEY_SERVER_TLS_KEY_FILE: certificates.serverKeyFile,
    };
    open = await startTestServer({ env });
    mutual = await startTestServer({ env: { ...env, LATCHKEY_SERVER_TLS_CLIENT_CA_FILE: certificates.caFile } });
  });
  afterAll(async () => {
    await Promise.all([open.close(), mutual.close()]);
    rmSync(directory, { recursive: true });
  });

  const client = () => ({ ca: certificates.ca, cert: certificates.clientCert, key: certificates.clientKey });

  test("HTTP/1.1", async () => {
    expect(open.url).toMatch(/^https:/);
    expect(await overHttp1(open.url, { ca: certificates.ca })).toEqual([200, "1.1"]);
  });

  test("HTTP/2", async () => {
    expect(await overHttp2(open.url, { ca: certificates.ca })).toBe(200);
  });

  test.each([
    [["h2", "http/1.1"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], false],
  ] as const)("a client that offers %j gets %s", async (offered, chosen) => {
    const { hostname, port } = new URL(open.url);
    const options = { host: hostname, port: Number(port), ca: certificates.ca };
    const socket = connect({ ...options, ...(offered.length > 0 && { ALPNProtocols: [...offered] }) });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  });

  test("a client with a certificate of the authority is let in", async () => {
    expect(await overHttp1(mutual.url, client())).toEqual([200, "1.1"]);
    expect(await overHttp2(mutual.url, client())).toBe(200);
  });

  test("a client without one is not", async () => {
    await expect(overHttp1(mutual.url, { ca: certificates.ca })).rejects.toThrow(/certificate required|ECONNRESET/);
    await expect(overHttp2(mutual.url, { ca: certificates.ca })).rejects.toThrow(/certificate required|ECONNRESET/);
    expect(mutual.log.filter((line) => line.includes('"peer"') && line.includes("AdminIssue"))).toEqual([]);
  });

  test.each([
    ["HTTP/1.1 in cleartext", Buffer.from("GET /health/alive HTTP/1.1\r\nhost: x\r\n\r\n")],
    ["HTTP/2 in cleartext", opening()],
    ["the PROXY protocol", Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")],
    ["the PROXY protocol, version 2", Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000201c000020200010002", "hex")],
    ["a hello that is cut, and then garbage", Buffer.from(`16030100c8010000c40303${"ff".repeat(300)}`, "hex")],
    ["random bytes", randomBytes(200, createRandom(SEED))],
  ])("%s is not answered, and the connection closed", async (_, bytes) => {
    const connection = await RawConnection.open(open.address);
    await connection.write(bytes);
    await connection.closed();
    const [type = ALERT] = connection.received;
    expect(type).toBe(ALERT);
    expect(connection.received.length).toBeLessThanOrEqual(ALERT_BYTES);
    expect(await overHttp1(open.url, { ca: certificates.ca })).toEqual([200, "1.1"]);
    expect(open.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });

  // Node cut the connection: "Parse Error: Paused".
  test("a request in two records, behind so many that their answers pile up, is answered", async () => {
    const held = new HeldSocket(open.address);
    const socket = connect({ socket: held, ca: certificates.ca, host: new URL(open.url).hostname });
    await once(socket, "secureConnect");
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    held.hold();
    await writeRecord(socket, `${ENDS_LATE}${"GET /health/alive HTTP/1.1\r\nhost: x\r\n\r\n".repeat(PIPELINED)}`);
    await writeRecord(socket, "POST /no/such/path HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n");
    await writeRecord(socket, "{}");
    held.release();
    const isOver = () => received.includes("HTTP/1.1 404 ") || socket.readableEnded || socket.destroyed;
    await eventually("the last answer, or the end", () => isOver() || undefined);
    expect(received.match(/^HTTP\/1.1 \d+/gm)).toEqual([...Array(PIPELINED + 1).fill("HTTP/1.1 200"), "HTTP/1.1 404"]);
    socket.destroy();
  });

  test("a handshake that never comes is waited for no longer than the first byte", async () => {
    const env = {
      LATCHKEY_SERVER_TLS_CERT_FILE: certificates.serverCertFile,
      LATCHKEY_SERVER_TLS_KEY_FILE: certificates.serverKeyFile,
      LATCHKEY_SERVER_FIRST_BYTE_TIMEOUT: "200ms",
    };
    const strict = await startTestServer({ env });
    const connection = await RawConnection.open(strict.address);
    try {
      await connection.closed();
      expect(connection.received).toHaveLength(0);
    } finally {
      await strict.close();
    }
  });

  test("a call that is under way when the server stops is finished", async () => {
    const env = {
      LATCHKEY_SERVER_TLS_CERT_FILE: certificates.serverCertFile,
      LATCHKEY_SERVER_TLS_KEY_FILE: certificates.serverKeyFile,
    };
    const stopping = await startTestServer({ env });
    const body = '{"credential":"x"}';
    const sent = request(`${stopping.url}/v2alpha1/admin/apiKeys:verify`, {
      method: "POST",
      ca: certificates.ca,
      agent: false,
      headers: {
        authorization: `Bearer ${stopping.tokens.verifier}`,
        "content-type": "application/json",
        "content-length": body.length,
      },
    });
    const answered = once(sent, "response");
    sent.write(body.slice(0, 1));
    await overHttp1(stopping.url, { ca: certificates.ca }); // by now the server has the first part as well
    const closed = stopping.close();
    sent.end(body.slice(1));
    const [response] = await answered;
    expect(response.statusCode).toBe(200);
    response.resume();
    await closed;
  });
});

interface Identity {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

function overHttp1(url: string, identity: Identity): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/health/alive`, { ...identity, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve([response.statusCode, response.httpVersion]));
    });
    sent.on("error", reject);
    sent.end();
  });
}

function overHttp2(url: string, identity: Identity): Promise<number | undefined> {
  const session = connectHttp2(url, identity);
  return new Promise<number | undefined>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ ":path": "/health/alive" });
    stream.on("error", reject);
    stream.on("response", (headers) => resolve(headers[":status"]));
    stream.end();
  }).finally(() => session.destroy());
}

/** A first byte that could begin a record of TLS would be waited for. */
function randomBytes(length: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index === 0 ? 0xff : random() % 256)));
}

/** Resolves when it is encrypted, so that the next one is another record. */
function writeRecord(socket: TLSSocket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, "latin1", () => resolve()));
}
