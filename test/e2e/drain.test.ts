/** SIGTERM to a real process: what is under way is finished, nothing new is taken, and the exit code is 0. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";

const VERIFY = "/v2alpha1/admin/apiKeys:verify";
const BODY = '{"credential":"x"}';
/** Far below `server.drain_timeout`: a drain that takes longer waited for something that was not under way. */
const PROMPT_MS = 4_000;

let dataDir: string;
let service: ChildService;
let url: string;
let token: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "latchkey-drain-"));
  service = new ChildService({ env: { LATCHKEY_DATA_DIR: dataDir } });
  url = await service.ready();
  token = readFileSync(join(dataDir, "secrets", "admin-token"), "utf8").trim();
});
afterEach(async () => {
  await service.stop();
  rmSync(dataDir, { recursive: true });
});

test("HTTP/1.1: the call under way is answered, then the process ends", async () => {
  const { host } = new URL(url);
  const connection = await RawConnection.open(host);
  const head = `POST ${VERIFY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json`;
  await connection.write(`${head}\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`);
  await fetch(`${url}/health/alive`); // by now the server has the first part as well

  service.kill("SIGTERM");
  await service.logged("draining");
  await expect(RawConnection.open(host)).rejects.toThrow("ECONNREFUSED");
  await connection.write(BODY.slice(5));
  const { status, body } = await readHttp1Reply(connection);
  expect([status, JSON.parse(body)]).toMatchObject([200, { is_valid: false }]);
  await connection.closed();
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(service.stdout).toContain('"msg":"stopped"');
});

test("HTTP/2: clients get GOAWAY, the call under way is answered, then the process ends", async () => {
  const session = connect(url);
  await once(session, "connect");
  const goaway = once(session, "goaway");
  const stream = session.request({
    ":method": "POST",
    ":path": VERIFY,
    "content-type": "application/json",
    ...bearer(token),
  });
  const answered = once(stream, "response");
  stream.write(BODY.slice(0, 5));
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()));
  });

  service.kill("SIGTERM");
  const [errorCode] = await goaway;
  expect(errorCode).toBe(0);
  stream.end(BODY.slice(5));
  const [headers] = await answered;
  expect(headers[":status"]).toBe(200);
  stream.resume();
  await once(session, "close");
  expect(await service.ended).toEqual({ code: 0, signal: null });
});

test("connections on which nothing is under way do not hold the process up", async () => {
  const { host } = new URL(url);
  const silent = await RawConnection.open(host);
  const idle = await RawConnection.open(host);
  await idle.write("GET /health/alive HTTP/1.1\r\nhost: x\r\n\r\n");
  expect((await readHttp1Reply(idle)).status).toBe(200);
  const session = connect(url);
  await once(session, "remoteSettings");

  const startedAt = Date.now();
  service.kill("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(Date.now() - startedAt).toBeLessThan(PROMPT_MS);
  await Promise.all([silent.closed(), idle.closed()]);
  session.destroy();
});
