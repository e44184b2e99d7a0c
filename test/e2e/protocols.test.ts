/** One port for everything: who is let in, what it is told apart by, and what is asked about the server itself. */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.js";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { Api } from "./api.js";
import { CLIENTS } from "./clients/create-clients.js";
import { type ReflectionVersion, reflect } from "./clients/grpc-reflection.js";
import { createRandom } from "./create-random.js";
import { eventually } from "./eventually.js";
import { startProxy } from "./proxy.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";
import { startTestServer, type TestServer } from "./server.js";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS = Buffer.from("000000040000000000", "hex");
const SETTINGS_TYPE = 4;
const ALIVE = "GET /health/alive HTTP/1.1\r\nhost: x\r\n\r\n";
const SERVICE = "latchkey.v2alpha1.ApiKeysService";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("bytes that arrive one by one", () => {
  test.each(["grpc-js", "connect-node gRPC-Web, HTTP/1.1", "REST by fetch, HTTP/1.1", "REST by node:http2, HTTP/2"])(
    "%s",
    async (name) => {
      const proxy = await startProxy(server.address, { pieceBytes: 1 });
      const client = await CLIENTS[name]?.(`http://${proxy.address}`);
      if (client === undefined) throw new Error(`there is no client ${name}`);
      const { secret } = await new Api(client, server.tokens).issue({ actor_id: "slow" });
      expect(await new Api(client, server.tokens).verify(secret)).toMatchObject({ is_valid: true, actor_id: "slow" });
      client.close();
      await proxy.close();
    },
  );

  test("the HTTP/2 preface, cut in two at every byte", async () => {
    for (let cut = 1; cut < PREFACE.length; cut++) {
      const connection = await RawConnection.open(server.address);
      await connection.write(PREFACE.slice(0, cut));
      await expectAlive(); // the server has had its turn with the first part
      await connection.write(Buffer.concat([Buffer.from(PREFACE.slice(cut)), EMPTY_SETTINGS]));
      const received = await connection.receive(({ length }) => length >= EMPTY_SETTINGS.length);
      expect(received.readUInt8(3)).toBe(SETTINGS_TYPE);
      connection.destroy();
    }
  });

  test("a preface that turns out to be none is HTTP/1", async () => {
    const connection = await RawConnection.open(server.address);
    await connection.write("PRI * HTTP/1.1\r\nhost: x\r\n\r\n");
    expect((await readHttp1Reply(connection)).status).toBe(400);
    await connection.closed();
  });
});

describe("connections that are no good", () => {
  const FIRST_BYTE_TIMEOUT_MS = 200;
  let strict: TestServer;

  beforeAll(async () => {
    strict = await startTestServer({
      env: {
        LATCHKEY_SERVER_FIRST_BYTE_TIMEOUT: `${FIRST_BYTE_TIMEOUT_MS}ms`,
        LATCHKEY_SERVER_MAX_CONNECTIONS: "3",
      },
    });
  });
  afterAll(() => strict.close());

  test.each(["", "P", PREFACE.slice(0, -1)])("%j and then silence: closed in time", async (start) => {
    const startedAt = Date.now();
    const connection = await RawConnection.open(strict.address);
    await connection.write(start);
    await connection.closed();
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(FIRST_BYTE_TIMEOUT_MS - 10);
    expect(connection.received).toHaveLength(0);
  });

  test("more than there may be: closed at once, until there is room again", async () => {
    const connections = await Promise.all(Array.from({ length: 3 }, () => RawConnection.open(strict.address)));
    for (const connection of connections) {
      await connection.write(ALIVE);
      expect((await readHttp1Reply(connection)).status).toBe(200);
    }
    const fourth = await RawConnection.open(strict.address);
    await fourth.closed();
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);

    connections[0]?.destroy();
    const again = await eventually("room for a connection", async () => {
      const connection = await RawConnection.open(strict.address);
      await connection.write(ALIVE);
      return readHttp1Reply(connection).then(
        () => connection,
        () => undefined,
      );
    });
    for (const connection of [...connections, again]) connection.destroy();
  });

  test("a TLS handshake on the cleartext port", async () => {
    const connection = await RawConnection.open(server.address);
    await connection.write(Buffer.from("16030100c8010000c40303", "hex"));
    await connection.closed();
    await expectAlive();
  });

  test("a TLS client on the cleartext port", async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
    const [error] = await once(socket, "error");
    expect(error).toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" }); // what comes back is HTTP
    await expectAlive();
  });

  test("random bytes", async () => {
    const random = createRandom(4);
    for (let round = 0; round < 50; round++) {
      const connection = await RawConnection.open(server.address);
      const bytes = Buffer.from(Array.from({ length: 1 + (random() % 200) }, () => random() % 256));
      await connection.write(round % 2 === 0 ? bytes : Buffer.concat([Buffer.from(PREFACE), bytes]));
      connection.end();
      await connection.closed();
    }
    await expectAlive();
    expect(server.log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });
});

describe("health", () => {
  const sessions = () => new Http2SessionManager(server.url);
  let sessionManager: Http2SessionManager;
  let health: ReturnType<typeof createHealthClient>;

  beforeAll(() => {
    sessionManager = sessions();
    health = createHealthClient(server.url, sessionManager);
  });
  afterAll(() => sessionManager.abort());

  test("over HTTP", async () => {
    for (const path of ["/health/alive", "/health/ready"]) {
      const response = await fetch(server.url + path);
      expect([response.status, await response.json()]).toEqual([200, { status: "SERVING" }]);
      expect(response.headers.get("content-type")).toBe("application/json");
    }
  });

  test.each(["", SERVICE])("Check of %j", async (service) => {
    expect((await health.check({ service })).status).toBe(Status.SERVING);
  });

  test("Check of a service that is not there", async () => {
    const error = await health.check({ service: "no.such.Service" }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "there is no such service" });
  });

  test("List", async () => {
    const { statuses } = await health.list({});
    expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
      ["", Status.SERVING],
      [SERVICE, Status.SERVING],
    ]);
  });

  test.each([
    ["", Status.SERVING],
    ["no.such.Service", Status.SERVICE_UNKNOWN],
  ])("Watch of %j says the status at once", async (service, expected) => {
    const abort = new AbortController();
    for await (const { status } of health.watch({ service }, { signal: abort.signal })) {
      expect(status).toBe(expected);
      break;
    }
    abort.abort();
  });

  test("Watch ends when the server stops", async () => {
    const other = await startTestServer();
    const manager = new Http2SessionManager(other.url);
    const seen: Status[] = [];
    const watch = async () => {
      for await (const { status } of createHealthClient(other.url, manager).watch({})) {
        seen.push(status);
        if (seen.length === 1) void other.close();
      }
    };
    const error = await watch().catch(ConnectError.from);
    expect(seen[0]).toBe(Status.SERVING);
    expect(error === undefined || error instanceof ConnectError).toBe(true);
    manager.abort();
  });
});

describe("reflection", () => {
  test.each<ReflectionVersion>(["v1", "v1alpha"])("%s names the services and describes them", async (version) => {
    const [list, service, message, method, file, nothing] = await reflect(server.address, version, [
      { list_services: "*" },
      { file_containing_symbol: SERVICE },
      { file_containing_symbol: "latchkey.v2alpha1.IssuedApiKey" },
      { file_containing_symbol: `${SERVICE}.AdminVerifyApiKey` },
      { file_by_filename: "google/protobuf/struct.proto" },
      { file_containing_symbol: "no.such.Symbol" },
    ]);
    expect(list?.list_services_response?.service.map(({ name }) => name).sort()).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      SERVICE,
    ]);
    for (const [answer, text] of [
      [service, "latchkey/v2alpha1/api_keys_service.proto"],
      [message, "latchkey/v2alpha1/resources.proto"],
      [method, "latchkey/v2alpha1/api_keys_service.proto"],
      [file, "google/protobuf/struct.proto"],
    ] as const) {
      expect(answer?.file_descriptor_response?.file_descriptor_proto[0]?.toString("latin1")).toContain(text);
    }
    expect(nothing?.error_response).toEqual({ error_code: 5, error_message: "no.such.Symbol is not known here" });
  });
});

const mongo = await mongoTestUri();

(mongo === undefined ? describe.skip : describe)(
  mongo === undefined ? `a store that is gone, ${MONGO_SKIPPED}` : "a store that is gone",
  () => {
    afterAll(() => mongo?.dispose());

    test("is UNAVAILABLE, never a refused credential, and the server is not ready", async () => {
      const uri = new URL(mongo?.uri ?? "");
      const proxy = await startProxy(uri.host);
      uri.host = proxy.address;
      uri.searchParams.set("directConnection", "true");
      const own = await startTestServer({
        mongodbUri: uri.href,
        env: { LATCHKEY_STORE_MONGODB_TIMEOUT: "500ms" },
      });
      const client = await CLIENTS["grpc-js"]?.(own.url);
      if (client === undefined) throw new Error("there is no grpc-js");
      const api = new Api(client, own.tokens);
      const { issued_api_key: key, secret } = await api.issue({ actor_id: "a" });
      expect((await fetch(`${own.url}/health/ready`)).status).toBe(200);

      await proxy.close();
      const requests = [
        ["AdminVerifyApiKey", { credential: secret }],
        ["AdminRevokeApiKey", { key_id: key.key_id }],
        ["AdminIssueApiKey", { name: "n", actor_id: "a" }],
      ] as const;
      for (const [rpc, request] of requests) {
        const { code, reason, message } = await api.refusal(rpc, request);
        expect([code, reason]).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
        expect(message).toMatch(/^the key store (cannot be reached|did not answer in time)$/);
      }
      const ready = await fetch(`${own.url}/health/ready`);
      expect([ready.status, await ready.json()]).toEqual([503, { status: "NOT_SERVING" }]);
      expect((await fetch(`${own.url}/health/alive`)).status).toBe(200);
      client.close();
      await own.close();
    });
  },
);

function createHealthClient(baseUrl: string, sessionManager: Http2SessionManager) {
  return createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
}

async function expectAlive(): Promise<void> {
  expect((await fetch(`${server.url}/health/alive`)).status).toBe(200);
}
