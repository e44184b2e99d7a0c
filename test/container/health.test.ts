import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { randomToken, startTestServer } from "../e2e/server.js";
import { createTestCertificates, hasOpenssl } from "../e2e/test-certificates.js";
import { type Ended, runExecutable } from "./run-executable.js";

const READY: Ended = { code: 0, stdout: "", stderr: "" };
const UNAVAILABLE = 503;

const directory = mkdtempSync(join(tmpdir(), "latchkey-health-"));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What the check says with the settings of a service, and its port. */
async function checkService(env: Readonly<Record<string, string>>): Promise<Ended> {
  const { address, close } = await startTestServer({ env });
  closing.push(close);
  return check({ ...env, LATCHKEY_SERVER_PORT: address.slice(address.lastIndexOf(":") + 1) });
}

function check(env: Readonly<Record<string, string>>): Promise<Ended> {
  return runExecutable("src/container/health.ts", [], env);
}

async function portOf(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  closing.push(() => server.close());
  return String((server.address() as AddressInfo).port);
}

function notReady(problem: string): Ended {
  return { code: 1, stdout: "", stderr: `not ready: ${problem}\n` };
}

test("a service that is ready", async () => {
  expect(await checkService({})).toEqual(READY);
});

test.each(["0.0.0.0", "::"])("a service on every address, %s", async (host) => {
  const env = {
    LATCHKEY_SERVER_HOST: host,
    LATCHKEY_SECRETS_HMAC_CURRENT: randomToken(),
    LATCHKEY_SECRETS_PEPPER: randomToken(),
    LATCHKEY_ADMIN_TOKENS: JSON.stringify([{ name: "ops", token: randomToken(), role: "admin" }]),
  };
  expect(await checkService(env)).toEqual(READY);
});

const openssl = hasOpenssl();
const testTls = openssl ? test : test.skip;
const skipped = openssl ? "" : ", skipped: put openssl on the PATH to run it";

function tlsSettings(isMutual: boolean): Readonly<Record<string, string>> {
  const { serverCertFile, serverKeyFile, caFile } = createTestCertificates(directory);
  return {
    LATCHKEY_SERVER_TLS_CERT_FILE: serverCertFile,
    LATCHKEY_SERVER_TLS_KEY_FILE: serverKeyFile,
    ...(isMutual && { LATCHKEY_SERVER_TLS_CLIENT_CA_FILE: caFile }),
  };
}

testTls(`a service with TLS${skipped}`, async () => {
  expect(await checkService(tlsSettings(false))).toEqual(READY);
});

testTls(`a service whose clients must show a certificate${skipped}`, async () => {
  expect(await checkService(tlsSettings(true))).toEqual(READY);
});

testTls(`a certificate is asked for that the configuration knows nothing of${skipped}`, async () => {
  const { address, close } = await startTestServer({ env: tlsSettings(true) });
  closing.push(close);
  const [, port = ""] = address.split(":");
  expect(await check({ ...tlsSettings(false), LATCHKEY_SERVER_PORT: port })).toEqual(
    notReady("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
  );
});

test("no service", async () => {
  const server = createTcpServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await check({ LATCHKEY_SERVER_PORT: port })).toEqual(notReady("ECONNREFUSED"));
});

test("a service that is not ready", async () => {
  const port = await portOf(createServer((_request, response) => response.writeHead(UNAVAILABLE).end()));
  expect(await check({ LATCHKEY_SERVER_PORT: port })).toEqual(notReady("HTTP status 503"));
});

test("a service that does not answer", async () => {
  const port = await portOf(createTcpServer((socket) => socket.on("error", () => undefined).resume()));
  expect(await check({ LATCHKEY_SERVER_PORT: port })).toEqual(notReady("no answer within 4000 ms"));
});

test("a port that nobody knows", async () => {
  expect(await check({ LATCHKEY_SERVER_PORT: "0" })).toEqual(notReady("server.port is 0, so nobody knows the port"));
});

test("a wrong configuration", async () => {
  expect(await check({ LATCHKEY_SERVER_PORT: "x" })).toEqual(notReady("the configuration is wrong"));
});
