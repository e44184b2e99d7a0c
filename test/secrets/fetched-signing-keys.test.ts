/** Signing keys behind an https URL, from a real server. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { HttpsOptions } from "../../src/secrets/fetch-jwks.js";
import { openSigningKeySource, type SigningKeySource } from "../../src/secrets/signing-key-source.js";
import { createTestCertificates, hasOpenssl, type TestCertificates } from "../e2e/test-certificates.js";
import { ed25519Jwk, hidden, jwksText } from "./test-jwks.js";

const SHORT_TIMEOUT_MS = 150;
/** Longer than a test may take. */
const LONG_TIMEOUT_MS = 600_000;
/** Node's channel that tells of the headers of an answer to a client of this process. */
const HEADERS_ARRIVED = "http.client.response.finish";
const MAX_BYTES = 1_048_576;
const available = hasOpenssl();
const A = ed25519Jwk("a");
const B = ed25519Jwk("b");

(available ? describe : describe.skip)(
  available ? "fetched signing keys" : "fetched signing keys, skipped: put openssl on the PATH to run it",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-jwks-"));
    let certificates: TestCertificates;
    let server: Server;
    let requests: IncomingMessage[];
    let connection: Socket;
    let answer: RequestListener;
    let sources: SigningKeySource[];
    let errors: unknown[];

    beforeAll(async () => {
      certificates = createTestCertificates(directory);
      const { serverCertFile, serverKeyFile } = certificates;
      server = createServer({ cert: readFileSync(serverCertFile), key: readFileSync(serverKeyFile) });
      server.on("connection", (socket: Socket) => {
        connection = socket;
      });
      server.on("request", (request, response) => {
        requests.push(request);
        answer(request, response);
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
    });
    afterAll(async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
      rmSync(directory, { recursive: true });
    });
    beforeEach(() => {
      requests = [];
      errors = [];
      sources = [];
      answer = answerWith(jwksText(A));
    });
    afterEach(() => {
      for (const source of sources) source.close();
    });

    function origin(): string {
      return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    async function open(https: HttpsOptions = { ca: certificates.ca }, ...urls: string[]) {
      const source = await openSigningKeySource({
        urls: (urls.length > 0 ? urls : [`${origin()}/keys?token=hunter2`]).map(hidden),
        generatedFile: undefined,
        signingKeyId: undefined,
        onError: (error) => errors.push(error),
        https,
      });
      sources.push(source);
      return source;
    }

    const place = () => `tokens.signing_jwks_urls[0] (${origin()}/keys)`;

    test("are fetched with the whole URL", async () => {
      const source = await open();
      expect(source.current().signing.kid).toBe("a");
      expect(requests.map(({ method, url, headers }) => [method, url, headers.accept])).toEqual([
        ["GET", "/keys?token=hunter2", "application/jwk-set+json, application/json"],
      ]);
    });

    test("are fetched again", async () => {
      const source = await open();
      const first = source.current();
      await source.refresh();
      expect(source.current()).toBe(first);
      answer = answerWith(jwksText(B));
      await source.refresh();
      expect(source.current().signing.kid).toBe("b");
      expect(requests).toHaveLength(3);
      expect(errors).toEqual([]);
    });

    test("may be as large as the limit", async () => {
      answer = answerWith(jwksText(A).padEnd(MAX_BYTES));
      expect((await open()).current().signing.kid).toBe("a");
    });

    const BAD_ANSWERS: [string, RequestListener, string][] = [
      ["an error", answerWith("hunter2", 503), "answered with HTTP status 503"],
      ["no content", answerWith("", 204), "answered with HTTP status 204"],
      ["a redirect", redirect, "answered with HTTP status 302"],
      ["something else", answerWith("hunter2"), "is not valid JSON"],
      ["nothing", answerWith(""), "is empty"],
      [
        "wrong keys",
        answerWith(jwksText({ ...A, kty: "hunter2" })),
        `keys[0] must be an Ed25519 key with alg EdDSA, or an RSA key with alg RS256`,
      ],
      ["too much", answerWith(jwksText(A).padEnd(MAX_BYTES + 1)), `is larger than ${MAX_BYTES} bytes`],
      ["too much without an end", endless, `is larger than ${MAX_BYTES} bytes`],
      ["half of it", cut, "cannot be fetched (ECONNRESET)"],
      ["half of it and a reset", reset, "cannot be fetched (ECONNRESET)"],
      ["a closed connection", (request) => request.socket.destroy(), "cannot be fetched (ECONNRESET)"],
      [
        "what is no HTTP",
        (request) => request.socket.end("hunter2\r\n\r\n"),
        "cannot be fetched (HPE_INVALID_CONSTANT)",
      ],
    ];

    test.each(BAD_ANSWERS)("refuse the start when the answer is %s", async (_name, bad, problem) => {
      answer = bad;
      await expect(open()).rejects.toThrow(
        expect.objectContaining({ name: "SigningKeysError", message: `${place()}: ${problem}` }),
      );
      expect(requests).toHaveLength(1);
    });

    test.each(BAD_ANSWERS)("stay as they are when a later answer is %s", async (_name, bad, problem) => {
      const source = await open();
      const first = source.current();
      answer = bad;
      await source.refresh();
      expect(source.current()).toBe(first);
      expect(errors).toEqual([
        expect.objectContaining({ name: "SigningKeysError", message: `${place()}: ${problem}` }),
      ]);
      expect(inspect(errors, { depth: 10, showHidden: true })).not.toContain("hunter2");
    });

    test.each<[string, RequestListener]>([
      ["nothing comes", () => undefined],
      ["the rest does not come", (_request, response) => void response.write("{")],
    ])("do not wait longer than the limit when %s", async (_name, silent) => {
      const source = await open({ ca: certificates.ca, timeoutMs: SHORT_TIMEOUT_MS });
      answer = silent;
      await source.refresh();
      expect(errors).toEqual([
        expect.objectContaining({ message: `${place()}: did not answer within ${SHORT_TIMEOUT_MS} ms` }),
      ]);
      expect(source.current().signing.kid).toBe("a");
    });

    test("leave no connection behind when the answer is of no use", async () => {
      const source = await open({ ca: certificates.ca, timeoutMs: LONG_TIMEOUT_MS });
      const refused = new Promise<ServerResponse>((resolve) => {
        answer = (_request, response) => {
          response.writeHead(503).write("busy");
          resolve(response);
        };
      });
      await source.refresh();
      const response = await refused;
      if (!response.closed) await once(response, "close");
      expect(errors).toHaveLength(1);
    });

    test("are not asked for any longer when the start is refused for another set", async () => {
      const ended = new Promise<void>((resolve) => {
        answer = (request, response) => {
          if (request.url === "/bad") response.writeHead(404).end();
          else response.once("close", resolve);
        };
      });
      const https = { ca: certificates.ca, timeoutMs: LONG_TIMEOUT_MS };
      await expect(open(https, `${origin()}/slow`, `${origin()}/bad`)).rejects.toThrow(
        `tokens.signing_jwks_urls[1] (${origin()}/bad): answered with HTTP status 404`,
      );
      if (requests.some(({ url }) => url === "/slow")) await ended;
    });

    test("are as they were read anew, whatever an earlier read that is under way finds", async () => {
      const source = await open();
      const asked = new Promise<ServerResponse>((resolve) => {
        answer = (_request, response) => resolve(response);
      });
      const earlier = source.refresh();
      const response = await asked;
      answer = answerWith(jwksText(B));
      const take = await source.readAnew();
      expect(source.current().signing.kid).toBe("a");
      take();
      expect(source.current().signing.kid).toBe("b");
      response.end(jwksText(A));
      await earlier;
      expect(source.current().signing.kid).toBe("b");
      expect(requests).toHaveLength(3);
      expect(errors).toEqual([]);
    });

    test("are not asked for any longer when the source is closed", async () => {
      const source = await open({ ca: certificates.ca, timeoutMs: LONG_TIMEOUT_MS });
      const asked = new Promise<ServerResponse>((resolve) => {
        answer = (_request, response) => resolve(response);
      });
      const refresh = source.refresh();
      const response = await asked;
      source.close();
      await refresh;
      if (!response.closed) await once(response, "close");
      expect(errors).toEqual([]);
    });

    test("come only from a server whose certificate is trusted", async () => {
      await expect(open({})).rejects.toThrow(`${place()}: cannot be fetched (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`);
      expect(requests).toEqual([]);
    });

    test("come only from the server that the certificate is for", async () => {
      const port = new URL(origin()).port;
      await expect(open({ ca: certificates.ca }, `https://localhost:${port}/keys`)).rejects.toThrow(
        `tokens.signing_jwks_urls[0] (https://localhost:${port}/keys): cannot be fetched (ERR_TLS_CERT_ALTNAME_INVALID)`,
      );
      expect(requests).toEqual([]);
    });

    /** Resets the connection when the client has the headers: Node then tells the request of it, besides the answer. */
    function reset(_request: IncomingMessage, response: ServerResponse): void {
      const onHeaders = () => {
        unsubscribe(HEADERS_ARRIVED, onHeaders);
        connection.resetAndDestroy();
      };
      subscribe(HEADERS_ARRIVED, onHeaders);
      response.writeHead(200, { "content-length": 2 }).write("{");
    }

    function redirect(_request: IncomingMessage, response: ServerResponse): void {
      response.writeHead(302, { location: `${origin()}/elsewhere` }).end(jwksText(A));
    }
  },
);

function answerWith(body: string, status = 200): RequestListener {
  return (_request, response) => response.writeHead(status, { "content-type": "application/json" }).end(body);
}

function endless(_request: IncomingMessage, response: ServerResponse): void {
  const chunk = " ".repeat(65_536);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

function cut(request: IncomingMessage, response: ServerResponse): void {
  const body = jwksText(A);
  response.writeHead(200, { "content-length": body.length });
  response.write(body.slice(0, -1), () => request.socket.destroy());
}
