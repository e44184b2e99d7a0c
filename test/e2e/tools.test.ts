/** The command-line clients that people use: they need nothing but the server's reflection. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TOOLS_REQUIRED } from "../tools-required.js";
import { startTestServer, type TestServer } from "./server.js";

const SERVICE = "latchkey.v2alpha1.ApiKeysService";
const KEY = '{"name":"demo","actor_id":"tools"}';
const INSTALL = "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4";
const BUF = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const TIME = /^\d{4}-\d\d-\d\dT/;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, words, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const grpcurl = findGrpcurl();

(grpcurl === undefined && !TOOLS_REQUIRED ? describe.skip : describe)(
  grpcurl === undefined ? `grpcurl, skipped: to run it, ${INSTALL}` : "grpcurl",
  () => {
    const call = (...words: string[]) => run(grpcurl ?? "grpcurl", ["-plaintext", ...words]);
    const authorized = () => ["-H", `authorization: Bearer ${server.tokens.admin}`];

    test("lists the services and the methods", async () => {
      expect(await call(server.address, "list")).toEqual({
        code: 0,
        stderr: "",
        stdout: [
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
          SERVICE,
          "",
        ].join("\n"),
      });
      const { stdout } = await call(server.address, "list", SERVICE);
      expect(stdout.trim().split("\n")).toHaveLength(17);
    });

    test("describes a service, a method and a message", async () => {
      const { stdout: service } = await call(server.address, "describe", SERVICE);
      expect(service).toContain("service ApiKeysService {");
      const { stdout: method } = await call(server.address, "describe", `${SERVICE}.AdminVerifyApiKey`);
      expect(method).toContain(".latchkey.v2alpha1.AdminVerifyApiKeyRequest");
      const { stdout: message } = await call(server.address, "describe", "latchkey.v2alpha1.RateLimitPolicy");
      expect(message).toContain("int64 quota = 1");
    });

    test("issues a key and verifies it", async () => {
      const issued = await call(...authorized(), "-d", KEY, server.address, `${SERVICE}/AdminIssueApiKey`);
      expect([issued.code, issued.stderr]).toEqual([0, ""]);
      const { secret, issuedApiKey } = JSON.parse(issued.stdout) as Record<string, Record<string, string>>;
      expect(issuedApiKey).toMatchObject({ name: "demo", actorId: "tools", createTime: expect.stringMatching(TIME) });

      const request = JSON.stringify({ credential: secret });
      const verified = await call(...authorized(), "-d", request, server.address, `${SERVICE}/AdminVerifyApiKey`);
      expect(JSON.parse(verified.stdout)).toMatchObject({ isValid: true, keyId: issuedApiKey?.keyId });
    });

    test("shows an error with its details", async () => {
      const { code, stderr } = await call("-d", KEY, server.address, `${SERVICE}/AdminIssueApiKey`);
      expect(code).toBe(64 + 16);
      expect(stderr).toContain("Code: Unauthenticated\n  Message: a valid bearer token is required\n");
      expect(stderr).toContain('"reason": "UNAUTHENTICATED"');
      const wrong = await call(...authorized(), "-d", "{}", server.address, `${SERVICE}/AdminIssueApiKey`);
      expect(wrong.stderr).toContain("Message: actor_id: is required; name: is required\n");
      expect(wrong.stderr).toContain('"field": "actor_id"');
    });

    test("checks the health", async () => {
      const { stdout } = await call(server.address, "grpc.health.v1.Health/Check");
      expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
    });
  },
);

describe("buf curl", () => {
  const call = (...words: string[]) => run(BUF, ["curl", ...words]);

  test.each([
    ["grpc", ["--http2-prior-knowledge"]],
    ["grpcweb", ["--http2-prior-knowledge"]],
    ["connect", ["--http2-prior-knowledge"]],
  ])("calls over %s", async (protocol, options) => {
    const words = ["--protocol", protocol, ...options, "-H", `Authorization: Bearer ${server.tokens.admin}`];
    const issued = await call(...words, "-d", KEY, `${server.url}/${SERVICE}/AdminIssueApiKey`);
    expect([issued.code, issued.stderr]).toEqual([0, ""]);
    const { secret } = JSON.parse(issued.stdout) as { secret: string };
    const request = JSON.stringify({ credential: secret });
    const verified = await call(...words, "-d", request, `${server.url}/${SERVICE}/AdminVerifyApiKey`);
    expect(JSON.parse(verified.stdout)).toMatchObject({ isValid: true, actorId: "tools" });

    const refused = await call(...words, "-d", "{}", `${server.url}/${SERVICE}/AdminVerifyApiKey`);
    expect(refused.code).not.toBe(0);
    expect(JSON.parse(refused.stderr)).toMatchObject({
      code: "invalid_argument",
      message: "credential: is required",
    });
  });

  test("lists the services and the methods", async () => {
    const services = await call("--http2-prior-knowledge", "--list-services", server.url);
    expect(services.stdout.trim().split("\n")).toContain(SERVICE);
    const methods = await call("--http2-prior-knowledge", "--list-methods", server.url);
    expect(methods.stdout).toContain(`${SERVICE}/AdminRotateIssuedApiKey`);
  });
});

function findGrpcurl(): string | undefined {
  const { PATH = "", GOPATH = join(homedir(), "go") } = process.env;
  const folders = [...PATH.split(delimiter), ...GOPATH.split(delimiter).map((folder) => join(folder, "bin"))];
  return folders.map((folder) => join(folder, "grpcurl")).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
