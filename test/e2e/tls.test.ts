/** TLS on the one port: ALPN tells the HTTP version, and clients may have to show a certificate. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { RawConnection } from "./raw-connection.js";
import { startTestServer, type TestServer } from "./server.js";
import { createTestCertificates, hasOpenssl, type TestCertificates } from "./test-certificates.js";

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

  test("a cleartext request is not answered in cleartext", async () => {
    const connection = await RawConnection.open(open.address);
    await connection.write("GET /health/alive HTTP/1.1\r\nhost: x\r\n\r\n");
    await connection.closed();
    expect(connection.received.toString("latin1")).not.toContain("HTTP/1.1");
    expect(await overHttp1(open.url, { ca: certificates.ca })).toEqual([200, "1.1"]);
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
