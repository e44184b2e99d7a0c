import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { randomToken, startTestServer, type TestServer } from "../e2e/server.js";
import { type Run, runLatchkey } from "./run-latchkey.js";

const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
const KEY_ID = "00000000-0000-7000-8000-000000000000";
const NO_KEY = ["keys", "get", KEY_ID];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const endpoints = () => [`http://${server.address}`, `grpc://${server.address}`];

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

/** The end of a command that says nothing on stdout. */
function failed(code: number, err: string): Run {
  return { code, out: "", err: `latchkey: ${err}\n` };
}

/** To both kinds of endpoint. */
async function runOnBoth(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Run[]> {
  return Promise.all(endpoints().map((endpoint) => runLatchkey([...words, "--endpoint", endpoint], { env })));
}

describe("a wrong command line, exit code 2", () => {
  test.each([
    [["keys", "get", KEY_ID, "--colour"], "latchkey: unknown option '--colour'\n"],
    [
      ["keys", "get", KEY_ID, "--end-point", "x"],
      "latchkey: unknown option '--end-point'\n(Did you mean --endpoint?)\n",
    ],
    [["keys", "destroy", KEY_ID], "latchkey: unknown command 'destroy'\n"],
    [["keys", "isue", "demo"], "latchkey: unknown command 'isue'\n(Did you mean issue?)\n"],
    [["key", "issue", "demo"], "latchkey: unknown command 'key'\n(Did you mean keys?)\n"],
    [["import-file", "keys.csv"], "latchkey: unknown command 'import-file'\n"],
    [["keys", "get", KEY_ID, "more"], "latchkey: too many arguments for 'get'. Expected 1 argument but got 2.\n"],
    [["keys", "get"], "latchkey: missing required argument 'key-id'\n"],
    [["keys", "issue", "demo"], "latchkey: required option '--actor <id>' not specified\n"],
    [
      ["keys", "revoke", KEY_ID, "--reason", "boredom"],
      "latchkey: option '--reason <reason>' argument 'boredom' is invalid. " +
        "Allowed choices are key-compromise, affiliation-changed, superseded, privilege-withdrawn.\n",
    ],
    [
      ["keys", "update", KEY_ID, "--clear", "name"],
      "latchkey: option '--clear <field>' argument 'name' is invalid. " +
        "Allowed choices are scopes, metadata, rate_limit_policy, ip_restriction.\n",
    ],
    [
      ["keys", "issue", "a", "--actor", "b", "--metadata", "[]"],
      "latchkey: option '--metadata <json>' argument '[]' is invalid. It must be a JSON object.\n",
    ],
    [
      ["keys", "list", "--page-size", "many"],
      "latchkey: option '--page-size <n>' argument 'many' is invalid. It must be a whole number.\n",
    ],
    [
      ["keys", "list", "--token", "a", "--token-file", "b"],
      "latchkey: option '--token <token>' cannot be used with option '--token-file <file>'\n",
    ],
    [["keys", "update", KEY_ID], "latchkey: there is nothing to change: give --name, --scope or another option\n"],
    [
      ["keys", "rotate", KEY_ID, "--scope", "a", "--clear", "scopes"],
      "latchkey: scopes cannot be set and cleared at once\n",
    ],
    [
      ["keys", "verify", "lk_v1_x"],
      "latchkey: a credential is no word of the command line, where others can see it: pipe it in, or use --credential-file\n",
    ],
    [
      [...NO_KEY, "--endpoint", "ftp://user:secret@host"],
      "latchkey: --endpoint must be http://, https://, grpc:// or grpcs:// and an address, such as http://127.0.0.1:4420\n",
    ],
    [
      ["jwk", "generate", "dsa"],
      "latchkey: command-argument value 'dsa' is invalid for argument 'algorithm'. Allowed choices are eddsa, rsa.\n",
    ],
  ])("%j", async (words, err) => {
    expect(await runLatchkey(words)).toEqual({ code: 2, out: "", err: expect.stringContaining(err) });
  });
});

describe("a token, exit code 1", () => {
  test("that is unknown", async () => {
    const advice =
      "a valid bearer token is required\n  the token was refused: set LATCHKEY_TOKEN, or --token-file, to one that this service knows";
    for (const run of await runOnBoth(NO_KEY, { LATCHKEY_TOKEN: randomToken() })) {
      expect(run).toEqual(failed(1, advice));
    }
  });

  test("that is missing", async () => {
    const advice =
      "a valid bearer token is required\n  no token was sent: set LATCHKEY_TOKEN, or --token-file FILE " +
      "(a service keeps its own in secrets/admin-token of its data directory)";
    for (const run of await runOnBoth(NO_KEY)) expect(run).toEqual(failed(1, advice));
  });

  test("whose role may not", async () => {
    const message =
      "the role verifier may not call this method\n  another token may: set LATCHKEY_TOKEN or --token-file";
    const file = write("verifier-token", `${server.tokens.verifier}\n`);
    for (const run of await runOnBoth([...NO_KEY, "--token-file", file], { LATCHKEY_TOKEN: randomToken() })) {
      expect(run).toEqual(failed(1, message));
    }
  });

  test("of the option, which wins over the variable", async () => {
    const words = [...NO_KEY, "--token", server.tokens.reader];
    for (const run of await runOnBoth(words, { LATCHKEY_TOKEN: randomToken() })) {
      expect(run).toEqual(failed(1, "API key not found"));
    }
  });

  test("that no header can hold is not shown", async () => {
    const env = { LATCHKEY_ENDPOINT: `http://${server.address}`, LATCHKEY_TOKEN: "hunter2\nx: y" };
    expect(await runLatchkey(NO_KEY, { env })).toEqual(failed(1, "LATCHKEY_TOKEN holds no bearer token"));
  });

  test("in a file that is not there", async () => {
    const file = join(directory, "absent");
    const words = [...NO_KEY, "--endpoint", `http://${server.address}`, "--token-file", file];
    expect(await runLatchkey(words)).toEqual(failed(1, `the token file ${file} cannot be read (ENOENT)`));
  });
});

test("an issued key is not deleted", async () => {
  const message = "only imported keys can be deleted, and that is no id of one: latchkey keys revoke ends any key";
  for (const run of await runOnBoth(["keys", "delete", KEY_ID])) expect(run).toEqual(failed(1, message));
});

describe("credentials, exit code 1", () => {
  const env = () => ({ LATCHKEY_ENDPOINT: `http://${server.address}`, LATCHKEY_TOKEN: server.tokens.admin });

  test.each([
    ["", "the credential is empty"],
    ["\n", "the credential is empty"],
    ["x".repeat(65_537), "the credential is longer than 65536 bytes"],
  ])("%#", async (input, message) => {
    expect(await runLatchkey(["keys", "verify"], { env: env(), input })).toEqual(failed(1, message));
  });

  test("from a file", async () => {
    const file = write("credential", "nobody's\n");
    const run = await runLatchkey(["keys", "verify", "--credential-file", file], { env: env() });
    expect(run).toEqual({
      code: 1,
      out: "is_valid       false\nerror_code     NOT_FOUND\nerror_message  the credential is unknown\n",
      err: "",
    });
  });
});

describe("nobody answers, exit code 3", () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const listening of open.splice(0)) listening.close();
  });

  async function portOf(listening: Server): Promise<number> {
    await once(listening.listen(0, "127.0.0.1"), "listening");
    open.push(listening);
    return (listening.address() as AddressInfo).port;
  }

  test("there is no service", async () => {
    const closed = createTcpServer();
    const port = await portOf(closed);
    closed.close();
    for (const protocol of ["http", "https", "grpc", "grpcs"]) {
      const endpoint = `${protocol}://127.0.0.1:${port}`;
      const message = `${endpoint} cannot be reached (ECONNREFUSED): is the service running there?`;
      expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint])).toEqual(failed(3, message));
      expect(await runLatchkey(["health"], { env: { LATCHKEY_ENDPOINT: endpoint } })).toEqual(failed(3, message));
    }
  }, 60_000);

  test.each([
    ["http", "grpc"],
    ["https", "grpcs"],
  ])(
    "a port that fetch does not call, which is no matter of who is there: %s, exit code 1",
    async (protocol, other) => {
      const endpoint = `${protocol}://127.0.0.1:6000`;
      const message = `${endpoint} has a port that is not called over HTTP: use ${other}://, or another port`;
      expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint])).toEqual(failed(1, message));
    },
  );

  // When that is before the request is written, fetch waits for ever, with nothing that keeps the process alive.
  test("a connection that ends at once", async () => {
    const ending = createTcpServer((socket) => void socket.on("error", () => undefined).end());
    const endpoint = `http://127.0.0.1:${await portOf(ending)}`;
    const { code, err } = await runLatchkey([...NO_KEY, "--endpoint", endpoint]);
    expect(code).toBe(3);
    const messages = ["no answer within 30 s", "UND_ERR_SOCKET"].map(
      (why) => `latchkey: ${endpoint} cannot be reached (${why}): is the service running there?\n`,
    );
    expect(messages).toContain(err);
  }, 60_000);

  test.each(["unix", "dns", "ipv4"])("a host that is named as one of gRPC's schemes: %s", async (host) => {
    const endpoint = `grpc://${host}:4420`;
    const message = `${endpoint} cannot be reached (Name resolution failed for target dns:${host}:4420): is the service running there?`;
    expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint])).toEqual(failed(3, message));
  });

  test("a proxy of the environment is not used", async () => {
    const env = {
      LATCHKEY_TOKEN: server.tokens.admin,
      http_proxy: "http://127.0.0.1:1",
      grpc_proxy: "http://127.0.0.1:1",
    };
    for (const run of await runOnBoth(NO_KEY, env)) expect(run).toEqual(failed(1, "API key not found"));
  });

  const page: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  };
  const pages = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html>");
  };
  const chat = (socket: Socket) => void socket.on("error", () => undefined).end("hello\r\n");

  test.each<[string, () => Server, string, number, string]>([
    ["HTML", () => createServer(page), "http", 1, "answered with HTTP status 200, and not as Latchkey does"],
    ["HTML", () => createServer(page), "grpc", 3, "cannot be reached (Protocol error): is the service running there?"],
    [
      "HTML",
      () => createServer(page),
      "https",
      3,
      "cannot be reached (ERR_SSL_WRONG_VERSION_NUMBER): what answers there does not speak TLS",
    ],
    [
      "HTML",
      () => createServer(page),
      "grpcs",
      3,
      "cannot be reached (wrong version number): what answers there does not speak TLS",
    ],
    [
      "HTML over HTTP/2",
      () => createHttp2Server(pages),
      "grpc",
      1,
      "answered RESOURCE_EXHAUSTED (Received message larger than max (1752460652 vs 4194304)), and not as Latchkey does",
    ],
    [
      "HTML over HTTP/2",
      () => createHttp2Server(pages),
      "http",
      3,
      "cannot be reached (HPE_INVALID_CONSTANT): is the service running there?",
    ],
    [
      "another protocol",
      () => createTcpServer(chat),
      "http",
      3,
      "cannot be reached (HPE_INVALID_CONSTANT): is the service running there?",
    ],
  ])("somebody answers who is no Latchkey: %s (%#)", async (_what, create, protocol, code, message) => {
    const endpoint = `${protocol}://127.0.0.1:${await portOf(create())}`;
    // grpc-js gives TLS an IP address for a name, of which Node warns.
    const env = { NODE_NO_WARNINGS: "1", LATCHKEY_TOKEN: randomToken() };
    const err = `${endpoint} ${message}`;
    expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint], { env })).toEqual(failed(code, err));
    if (protocol === "grpcs") return; // as the one before
    const file = write("others.csv", "raw_key,name,actor_id\nk1,n,a\n");
    const goesOn = code === 3 ? "\n  the same command goes on where this one ended" : "";
    const run = await runLatchkey(["keys", "import-file", file, "--endpoint", endpoint], { env });
    expect(run).toEqual(failed(code, `${err}${goesOn}`));
    expect(readdirSync(directory).filter((name) => name.startsWith("others"))).toEqual(["others.csv"]);
  });

  test("what stands before the service says that it is not there", async () => {
    const gateway = createServer((_request, response) => response.writeHead(502).end("<html>"));
    const endpoint = `http://127.0.0.1:${await portOf(gateway)}`;
    const message = `${endpoint} answered with HTTP status 502, and not as Latchkey does`;
    expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint])).toEqual(failed(3, message));
  });

  test("a redirection is not followed: it could take the token with it", async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer(({ url }, response) => {
      seen.push(url);
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    const endpoint = `http://127.0.0.1:${await portOf(other)}`;
    const message = `${endpoint} answered with HTTP status 307, and not as Latchkey does`;
    expect(await runLatchkey([...NO_KEY, "--endpoint", endpoint])).toEqual(failed(1, message));
    expect(seen).toEqual([`/v2alpha1/admin/issuedApiKeys/${KEY_ID}`]);
  });

  test("the service says that it cannot now", async () => {
    const busy = createServer(({ url }, response) => {
      const isHealth = url === "/health/ready";
      response.writeHead(503, { "content-type": "application/json" });
      const error = { code: 503, status: "UNAVAILABLE", message: "the store is away", details: [] };
      response.end(JSON.stringify(isHealth ? { status: "NOT_SERVING" } : { error }));
    });
    const env = { LATCHKEY_ENDPOINT: `http://127.0.0.1:${await portOf(busy)}` };
    expect(await runLatchkey(NO_KEY, { env })).toEqual(failed(3, "the store is away"));
    expect(await runLatchkey(["health"], { env })).toEqual({ code: 1, out: "NOT_SERVING\n", err: "" });
  });
});

describe("the store itself, without a service", () => {
  const env = (uri: string) => ({
    LATCHKEY_SERVER_PORT: "1",
    LATCHKEY_STORE_MONGODB_URI: uri,
    LATCHKEY_STORE_MONGODB_TIMEOUT: "500ms",
  });

  test("nobody is there, exit code 3", async () => {
    const message = "MongoDB at 127.0.0.1:1 cannot be reached (ECONNREFUSED, no usable answer within 500 ms)";
    const run = await runLatchkey(NO_KEY, { env: env("mongodb://127.0.0.1:1/keys"), cwd: directory });
    expect(run).toEqual(failed(3, message));
  });

  test("what would be the same later, exit code 1", async () => {
    const uri = "mongodb://127.0.0.1:1/keys?tls=true&tlsCAFile=absent.pem";
    const message = "the file absent.pem, which the MongoDB URI names, cannot be read (ENOENT)";
    expect(await runLatchkey(NO_KEY, { env: env(uri), cwd: directory })).toEqual(failed(1, message));
  });

  test("a store that is damaged, exit code 1", async () => {
    const store = join(directory, "damaged", "store");
    mkdirSync(store, { recursive: true });
    writeFileSync(join(store, "data.mdb"), "no store");
    const message = `the store directory ${store} is damaged: data.mdb is cut short; restore it from a backup`;
    const settings = { LATCHKEY_SERVER_PORT: "1", LATCHKEY_DATA_DIR: join(directory, "damaged") };
    expect(await runLatchkey(NO_KEY, { env: settings })).toEqual(failed(1, message));
  });
});
