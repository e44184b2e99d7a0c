/** What is wrong in itself, byte by byte: refused with the field's name, never INTERNAL, nothing written. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  type AdminIssueApiKeyRequest,
  AdminIssueApiKeyRequestSchema,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { KeyVisibility } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { invalid, type RefusalFacts, refused } from "./api.js";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";
import { type HttpReply, sendByFetch } from "./clients/rest-client.js";
import { callGrpc, envelope, readGrpcWebStatus } from "./grpc-wire.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";
import { connectFacts, restFacts } from "./refusal-facts.js";
import { seriousLines, startTestServer, type TestServer } from "./server.js";

const KEYS = "/v2alpha1/admin/issuedApiKeys";
const VERIFY = "/v2alpha1/admin/apiKeys:verify";
const KEY_ID = "01890000-0000-7000-8000-000000000000";
const SERVICE = "/latchkey.v2alpha1.ApiKeysService";
const MEBIBYTE = 1024 * 1024;
const JSON_TYPE = { "content-type": "application/json" };
const KEY_ID_RULE = "must be a UUID, or 64 hexadecimal characters of an imported key";
const DURATION_RULE = 'expected a duration such as "3600s", "1h30m" or "30d"';
const TTL_RULE = "must be 1s to 315360000s, or 0s for the default";
const UTF8_RULE = "malformed percent-encoding, or not UTF-8";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

let before: HttpReply;
beforeEach(async () => {
  before = await send("GET", KEYS);
});

afterEach(async () => {
  const { status, text } = await send("GET", KEYS);
  expect([status, text]).toEqual([200, before.text]);
  expect(seriousLines(server.log)).toEqual([]);
});

function send(method: string, target: string, body?: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) {
  const named = { ...bearer(server.tokens.admin), ...headers };
  return sendByFetch(server.url, { method, target, headers: named, ...(body !== undefined && { body }) });
}

async function refusal(...request: Parameters<typeof send>): Promise<RefusalFacts> {
  return restFacts(await send(...request));
}

/** A request to issue, with `fields` as they are written. */
function issue(fields: string): Promise<RefusalFacts> {
  return refusal("POST", KEYS, `{"name":"n","actor_id":"a",${fields}}`);
}

describe("REST bodies", () => {
  test.each([
    ["no JSON at all", "name=x", invalid("body", "not valid JSON")],
    ["JSON cut short", '{"name":"x"', invalid("body", "not valid JSON")],
    ["two values", "{}{}", invalid("body", "not valid JSON")],
    ["a byte order mark only", "\ufeff", invalid("body", "not valid JSON")],
    ["null", "null", invalid("body", "expected an object, got null")],
    ["a list", "[]", invalid("body", "expected an object, got an array")],
    ["a text", '"x"', invalid("body", "expected an object, got a string")],
    ["invalid UTF-8", Buffer.from('{"name":"\xff","actor_id":"a"}', "latin1"), invalid("body", "not valid UTF-8")],
    ["an overlong encoding", Buffer.from('{"name":"\xc0\x80"}', "latin1"), invalid("body", "not valid UTF-8")],
    ["UTF-16", Buffer.from('{"name":"x"}', "utf16le"), invalid("body", "not valid JSON")],
  ])("%s", async (_, body, expected) => {
    expect(await refusal("POST", KEYS, body)).toEqual(expected);
  });

  test.each([
    ['"secret":"x"', "secret", "unknown field"],
    ['"Scopes":[]', "Scopes", "unknown field"],
    ['"__proto__":{"scopes":[]}', "__proto__", "unknown field"],
    ['"rate_limit_policy":{"quota":"1","window":"1s","burst":2}', "rate_limit_policy.burst", "unknown field"],
    ['"scopes":"a"', "scopes", "expected an array, got a string"],
    ['"scopes":[1]', "scopes[0]", "expected a string, got a number"],
    ['"scopes":["a",null]', "scopes[1]", "expected a value, got null"],
    ['"metadata":[]', "metadata", "expected an object, got an array"],
    ['"metadata":"x"', "metadata", "expected an object, got a string"],
    ['"metadata":{"a":1e999}', "metadata", "expected finite numbers, got one out of range"],
    [
      '"visibility":"PUBLIC"',
      "visibility",
      "expected one of KEY_VISIBILITY_UNSPECIFIED, KEY_VISIBILITY_SECRET, KEY_VISIBILITY_PUBLIC, got another string",
    ],
    [
      '"visibility":99',
      "visibility",
      "expected one of KEY_VISIBILITY_UNSPECIFIED, KEY_VISIBILITY_SECRET, KEY_VISIBILITY_PUBLIC, got an unknown number",
    ],
    ['"ttl":3600', "ttl", "expected a duration string, got a number"],
    ['"ttl":"-1h"', "ttl", TTL_RULE],
    ['"ttl":"1e9y"', "ttl", DURATION_RULE],
    ['"ttl":""', "ttl", DURATION_RULE],
    ['"ttl":"1 h"', "ttl", DURATION_RULE],
    ['"ttl":"s"', "ttl", DURATION_RULE],
    ['"ttl":"NaNs"', "ttl", DURATION_RULE],
    ['"ttl":"99999y"', "ttl", "expected a duration of at most 315576000000s"],
    ['"ttl":"10y1s"', "ttl", TTL_RULE],
    ['"ttl":"500ms"', "ttl", TTL_RULE],
    [
      '"rate_limit_policy":{"quota":9223372036854775808,"window":"1s"}',
      "rate_limit_policy.quota",
      "expected an integer from -9223372036854775808 to 9223372036854775807, got a number beyond 2^53, which has to be sent as a string",
    ],
    [
      '"rate_limit_policy":{"quota":"9223372036854775808","window":"1s"}',
      "rate_limit_policy.quota",
      "expected an integer from -9223372036854775808 to 9223372036854775807, got one out of range",
    ],
    [
      '"rate_limit_policy":{"quota":1.5,"window":"1s"}',
      "rate_limit_policy.quota",
      "expected an integer from -9223372036854775808 to 9223372036854775807, got a fraction",
    ],
    ['"rate_limit_policy":{"quota":"1","window":"-1h"}', "rate_limit_policy.window", "must be longer than 0s"],
    [
      '"ip_restriction":{"allowed_cidrs":["10.0.0.0/8","999.0.0.0/8"]}',
      "ip_restriction.allowed_cidrs[1]",
      "must be a network in CIDR notation, such as 10.0.0.0/8",
    ],
    [`"metadata":{"a":"${"x".repeat(4096)}"}`, "metadata", "must be at most 4096 bytes as compact UTF-8 JSON"],
    ['"metadata":{"a":"\\ud800"}', "metadata", "expected well-formed Unicode, got a lone surrogate"],
    ['"metadata":{"\\udfff":1}', "metadata", "expected well-formed Unicode, got a lone surrogate"],
    ['"scopes":["\\udc00"]', "scopes[0]", "expected well-formed Unicode, got a lone surrogate"],
    [`"metadata":${'{"a":'.repeat(64)}1${"}".repeat(64)}`, "metadata", "nested more than 64 levels deep"],
    [`"metadata":{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "metadata", "nested more than 64 levels deep"],
    ['"actorId":"b"', "actor_id", "given twice, as actor_id and as actorId"],
  ])("%.60s", async (fields, field, description) => {
    expect(await issue(fields)).toEqual(invalid(field, description));
  });

  test("never repeats what stands in the wrong place", async () => {
    const { text } = await send("POST", KEYS, '{"name":"n","actor_id":"a","hunter2 is my password":{"lk_v1_x":1}}');
    expect(JSON.parse(text)).toMatchObject({ error: { message: "(a name of 22 characters): unknown field" } });
  });

  test("takes the last of two equal names, as JSON.parse does, and judges it", async () => {
    expect(await issue('"ttl":"1h","ttl":"-1h"')).toEqual(invalid("ttl", TTL_RULE));
  });

  test("names up to ten mistakes at once", async () => {
    const { fields } = await refusal("POST", KEYS, JSON.stringify({ scopes: Array.from({ length: 20 }, () => 1) }));
    expect(fields).toEqual(
      Array.from({ length: 10 }, (_, index) => ({
        field: `scopes[${index}]`,
        description: "expected a string, got a number",
      })),
    );
  });
});

describe("credentials", () => {
  test.each([
    ['{"credential":{"$ne":null}}', "expected a string, got an object", "INVALID_ARGUMENT"],
    ['{"credential":["lk_v1_x"]}', "expected a string, got an array", "INVALID_ARGUMENT"],
    ['{"credential":true}', "expected a string, got a boolean", "INVALID_ARGUMENT"],
    ['{"credential":""}', "is required", "CREDENTIAL_REQUIRED"],
    ['{"credential":null}', "is required", "CREDENTIAL_REQUIRED"],
    ["{}", "is required", "CREDENTIAL_REQUIRED"],
    ["", "is required", "CREDENTIAL_REQUIRED"],
    [JSON.stringify({ credential: "x".repeat(16_385) }), "must be at most 16384 bytes", "INVALID_ARGUMENT"],
    [JSON.stringify({ credential: "x".repeat(MEBIBYTE - 20) }), "must be at most 16384 bytes", "INVALID_ARGUMENT"],
  ])("%.40s", async (body, description, reason) => {
    expect(await refusal("POST", VERIFY, body)).toEqual(invalid("credential", description, reason));
  });

  test("of a whole mebibyte: the body is too large", async () => {
    const body = JSON.stringify({ credential: "x".repeat(MEBIBYTE) });
    expect(await refusal("POST", VERIFY, body)).toEqual(
      refused("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE", `the body must be at most ${MEBIBYTE} bytes`),
    );
  });

  test.each(["\u0000", "lk_v1_\u0000", "\ud83d\udd11", "lk_v1_", ".", "a.b.c", "../../etc/passwd", "' OR 1=1 --"])(
    "%j is no credential, which is an answer",
    async (credential) => {
      const { status, text } = await send("POST", VERIFY, JSON.stringify({ credential }));
      const errorCode = credential.startsWith("lk_v1_") ? "INVALID_FORMAT" : "NOT_FOUND";
      expect([status, JSON.parse(text)]).toMatchObject([
        200,
        { is_valid: false, error_code: `VERIFICATION_ERROR_${errorCode}` },
      ]);
    },
  );
});

describe("paths and queries", () => {
  test.each([
    ["a%2Fb", "key_id", KEY_ID_RULE],
    ["%00", "key_id", KEY_ID_RULE],
    [`${KEY_ID}%00`, "key_id", KEY_ID_RULE],
    ["%F0%9F%94%91", "key_id", KEY_ID_RULE],
    ["x:y", "key_id", KEY_ID_RULE],
    ["$ne", "key_id", KEY_ID_RULE],
    ["__proto__", "key_id", KEY_ID_RULE],
    ["%ff", "path", UTF8_RULE],
    ["%c0%80", "path", UTF8_RULE],
    ["%ed%a0%80", "path", UTF8_RULE],
    ["%zz", "path", UTF8_RULE],
    ["%", "path", UTF8_RULE],
  ])("the key id %s", async (segment, field, description) => {
    expect(await refusal("GET", `${KEYS}/${segment}`)).toEqual(invalid(field, description));
  });

  test.each([
    "/",
    "/v2alpha1",
    `${KEYS}/`,
    `${KEYS}/${KEY_ID}/`,
    `${KEYS}//`,
    `/${KEYS}`,
    "/v1/admin/issuedApiKeys",
    "/health",
    "/health/alive/",
  ])("there is nothing at %s", async (path) => {
    expect(await refusal("GET", path)).toEqual(
      refused("NOT_FOUND", "ROUTE_NOT_FOUND", "there is nothing at this path"),
    );
  });

  test.each([
    ["DELETE", KEYS, "GET, POST"],
    ["PUT", `${KEYS}/${KEY_ID}`, "GET, PATCH"],
    ["GET", VERIFY, "POST"],
    ["GET", `${KEYS}/${KEY_ID}:rotate`, "POST"],
    ["OPTIONS", KEYS, "GET, POST"],
  ])("%s is not for %s", async (method, path, allow) => {
    const reply = await send(method, path);
    expect(restFacts(reply)).toEqual(
      refused("UNIMPLEMENTED", "METHOD_NOT_ALLOWED", `the method ${method} is not allowed here`),
    );
    expect(reply.headers.get("allow")).toBe(allow);
  });

  test.each([
    ["page_size=ten", "page_size", "expected an integer from -2147483648 to 2147483647, got a string that is not one"],
    ["page_size=2147483648", "page_size", "expected an integer from -2147483648 to 2147483647, got one out of range"],
    ["page_size=1&page_size=2", "page_size", "given twice"],
    ["pagesize=1", "pagesize", "unknown query parameter"],
    ["filter=%ff", "query", UTF8_RULE],
  ])("the query %s", async (query, field, description) => {
    expect(await refusal("GET", `${KEYS}?${query}`)).toEqual(invalid(field, description));
  });

  test("a query where there is none, and a body where there is none", async () => {
    expect(await refusal("POST", `${KEYS}?name=x`, "{}")).toEqual(
      invalid("name", "this method takes no query parameters"),
    );
    const target = `${KEYS}/${KEY_ID}`;
    const request = `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.tokens.admin}\r\ncontent-length: 2\r\n\r\n{}`;
    expect(factsOfRaw(await raw(request))).toEqual(invalid("body", "this method takes no body"));
  });

  test("bytes above ASCII in the request line, which is no HTTP at all", async () => {
    const { status } = await raw(Buffer.from(`GET ${KEYS}/\xff HTTP/1.1\r\nhost: x\r\n\r\n`, "latin1"));
    expect(status).toBe(400);
  });
});

describe("content types and encodings", () => {
  const UNSUPPORTED = refused(
    "INVALID_ARGUMENT",
    "UNSUPPORTED_MEDIA_TYPE",
    "the content type must be application/json",
  );

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/json; charset=latin1",
    "application/jsonx",
    "multipart/form-data; boundary=x",
  ])("a REST body of type %s", async (type) => {
    expect(await refusal("POST", KEYS, '{"name":"n","actor_id":"a"}', { "content-type": type })).toEqual(UNSUPPORTED);
  });

  test("a compressed REST body", async () => {
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    expect(await refusal("POST", KEYS, gzipSync('{"name":"n","actor_id":"a"}'), headers)).toEqual(
      refused("INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE", "the content encoding must be identity"),
    );
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonx"])(
    "an RPC of type %s",
    async (type) => {
      const { status, text } = await send("POST", `${SERVICE}/AdminIssueApiKey`, "{}", { "content-type": type });
      const message = "the content type is not one that this method takes";
      expect([status, JSON.parse(text)]).toMatchObject([
        415,
        { error: { code: 415, status: "INVALID_ARGUMENT", message, details: [{ reason: "UNSUPPORTED_MEDIA_TYPE" }] } },
      ]);
    },
  );

  test("an RPC by another HTTP method", async () => {
    const { status, headers, text } = await send("PUT", `${SERVICE}/AdminIssueApiKey`, "{}");
    expect([status, JSON.parse(text)]).toMatchObject([
      405,
      { error: { message: "the method PUT is not allowed here", details: [{ reason: "METHOD_NOT_ALLOWED" }] } },
    ]);
    expect(headers.get("allow")).toBe("POST");
  });
});

describe("Connect JSON", () => {
  const JSON_MISTAKE = refused("INVALID_ARGUMENT", "INVALID_ARGUMENT", "the body is not valid JSON");
  const NESTED = `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;

  test.each([
    ["no JSON", "{", JSON_MISTAKE],
    ["nothing", "", JSON_MISTAKE],
    ["an unknown field", '{"name":"n","actor_id":"a","secret":"x"}', invalid("secret", "unknown field")],
    ["a wrong type", '{"name":1,"actor_id":"a"}', invalid("name", "expected a string, got a number")],
    ["an operator", '{"actor_id":{"$ne":null}}', invalid("actor_id", "expected a string, got an object")],
    [
      "an enum value that is none",
      '{"name":"n","actor_id":"a","visibility":"PUBLIC"}',
      invalid(
        "visibility",
        "expected one of KEY_VISIBILITY_UNSPECIFIED, KEY_VISIBILITY_SECRET, KEY_VISIBILITY_PUBLIC, got another string",
      ),
    ],
    ["a list", "[]", invalid("body", "expected an object, got an array")],
    ["invalid UTF-8", Buffer.from('{"name":"\xff","actor_id":"a"}', "latin1"), invalid("body", "not valid UTF-8")],
    [
      "a lone surrogate",
      '{"name":"\\ud800","actor_id":"a"}',
      invalid("name", "expected well-formed Unicode, got a lone surrogate"),
    ],
    [
      "deep nesting",
      `{"name":"n","actor_id":"a","metadata":${NESTED}}`,
      invalid("metadata", "nested more than 64 levels deep"),
    ],
    [
      "more than a mebibyte",
      JSON.stringify({ name: "x".repeat(MEBIBYTE) }),
      refused("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE", `the body must be at most ${MEBIBYTE} bytes`),
    ],
  ])("%s", async (_, body, expected) => {
    const reply = await send("POST", `${SERVICE}/AdminIssueApiKey`, body);
    expect(connectFacts(reply.text)).toEqual(expected);
    expect(reply.status).toBe(expected.code === "RESOURCE_EXHAUSTED" ? 429 : 400);
  });
});

describe("gRPC", () => {
  const call = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    callGrpc(server.url, path, body, { ...bearer(server.tokens.admin), ...headers });
  const issuePath = `${SERVICE}/AdminIssueApiKey`;
  const message = toBinary(AdminIssueApiKeyRequestSchema, create(AdminIssueApiKeyRequestSchema, { name: "n" }));

  test.each([
    ["no message", new Uint8Array(), "UNIMPLEMENTED"],
    ["half a prefix", Buffer.from([0, 0]), "INVALID_ARGUMENT"],
    ["less than the prefix says", envelope(message, 0, message.length + 1), "INVALID_ARGUMENT"],
    ["two messages", Buffer.concat([envelope(message), envelope(message)]), "UNIMPLEMENTED"],
    ["bytes that are no message", envelope(Buffer.from([0xff, 0xff, 0xff])), "INVALID_ARGUMENT"],
    ["a field cut short", envelope(Buffer.from([0x0a, 0x05, 0x61])), "INVALID_ARGUMENT"],
    ["a text that is no UTF-8", envelope(Buffer.from([0x0a, 0x01, 0xff, 0x12, 0x01, 0x61])), "INVALID_ARGUMENT"],
    ["a group that never ends", envelope(Buffer.alloc(10_000, 0x0b)), "INVALID_ARGUMENT"],
    ["a compressed message that is not", envelope(message, 1), "INTERNAL"],
    ["a mebibyte and a byte", envelope(new Uint8Array(MEBIBYTE + 1)), "RESOURCE_EXHAUSTED"],
    ["4 GiB, says the prefix", envelope(message, 0, 0xffffffff), "RESOURCE_EXHAUSTED"],
  ])("%s", async (_, body, code) => {
    const { httpStatus, messages, ...status } = await call(issuePath, body);
    expect({ httpStatus, messages, code: status.code }).toEqual({ httpStatus: 200, messages: [], code });
    expect(status.reason).toBe(code === "RESOURCE_EXHAUSTED" ? "PAYLOAD_TOO_LARGE" : code);
  });

  // In a process of its own: connect tells Node's errors by their class, and jest's modules have another Error.
  test("gzip that unpacks to more than may be sent", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "latchkey-bad-input-"));
    const service = new ChildService({ env: { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_ADMIN_AUTH: "none" } });
    try {
      const bomb = envelope(gzipSync(new Uint8Array(64 * MEBIBYTE)), 1);
      const answer = await callGrpc(await service.ready(), issuePath, bomb, { "grpc-encoding": "gzip" });
      expect([answer.code, answer.reason]).toEqual(["RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"]);
    } finally {
      await service.stop();
      rmSync(dataDir, { recursive: true });
    }
  });

  test("an encoding that is not known", async () => {
    expect(await call(issuePath, envelope(message, 1), { "grpc-encoding": "br" })).toMatchObject({
      code: "UNIMPLEMENTED",
      reason: "UNIMPLEMENTED",
    });
  });

  test.each([`${SERVICE}/Nothing`, "/no.such.Service/Method", "/", "/health/alive", KEYS])(
    "there is no method %s",
    async (path) => {
      expect(await call(path, envelope(message))).toEqual({
        httpStatus: 200,
        messages: [],
        ...refused("UNIMPLEMENTED", "UNIMPLEMENTED", "there is no such method"),
      });
    },
  );

  test("an enum number and durations that JSON could not say", async () => {
    const request = (fields: Partial<AdminIssueApiKeyRequest>) =>
      envelope(
        toBinary(AdminIssueApiKeyRequestSchema, {
          ...create(AdminIssueApiKeyRequestSchema, { name: "n", actorId: "a" }),
          ...fields,
        }),
      );
    const ttl = (seconds: bigint, nanos: number) => request({ ttl: create(DurationSchema, { seconds, nanos }) });
    expect(await call(issuePath, request({ visibility: 99 as KeyVisibility }))).toMatchObject(
      invalid("visibility", "99 is not a value of this enum"),
    );
    const duration = "is not a valid google.protobuf.Duration";
    expect(await call(issuePath, ttl(2n ** 63n - 1n, 0))).toMatchObject(invalid("ttl", duration));
    expect(await call(issuePath, ttl(1n, -1))).toMatchObject(invalid("ttl", duration));
    expect(await call(issuePath, ttl(1n, 2_000_000_000))).toMatchObject(invalid("ttl", duration));
  });

  test.each(["", "abc", "1", "1x", "123456789S", "-1S", "1.5S"])("the timeout %j", async (timeout) => {
    expect(await call(issuePath, envelope(message), { "grpc-timeout": timeout })).toMatchObject(
      invalid("grpc-timeout", "is not a valid timeout"),
    );
  });

  test.each(["0S", "0n"])("the timeout %s", async (timeout) => {
    expect(await call(issuePath, envelope(message), { "grpc-timeout": timeout })).toMatchObject(
      refused("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "the deadline passed before the call began"),
    );
  });
});

describe("gRPC-Web", () => {
  test.each([
    ["no message", new Uint8Array(), "UNIMPLEMENTED", "UNIMPLEMENTED"],
    ["a message cut short", envelope(Buffer.from([0x0a]), 0, 9), "INVALID_ARGUMENT", "INVALID_ARGUMENT"],
    ["a mebibyte and a byte", envelope(new Uint8Array(MEBIBYTE + 1)), "RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"],
  ])("%s", async (_, body, code, reason) => {
    const response = await fetch(`${server.url}${SERVICE}/AdminIssueApiKey`, {
      method: "POST",
      headers: { ...bearer(server.tokens.admin), "content-type": "application/grpc-web+proto" },
      body,
    });
    const status = readGrpcWebStatus(new Uint8Array(await response.arrayBuffer()));
    expect([response.status, status.code, status.reason]).toEqual([200, code, reason]);
  });
});

describe("callers without a token learn nothing of their body", () => {
  const UNAUTHENTICATED = refused("UNAUTHENTICATED", "UNAUTHENTICATED", "a valid bearer token is required");

  test.each(["{", "[]", '{"nothing":1}', "x".repeat(2 * MEBIBYTE)])("REST: %.20s", async (body) => {
    const reply = await sendByFetch(server.url, { method: "POST", target: KEYS, headers: JSON_TYPE, body });
    expect(restFacts(reply)).toEqual(UNAUTHENTICATED);
    expect([reply.status, reply.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([new Uint8Array(), Buffer.from([0, 0]), envelope(Buffer.from([0xff]))])("gRPC %#", async (body) => {
    expect(await callGrpc(server.url, `${SERVICE}/AdminIssueApiKey`, body, {})).toMatchObject(UNAUTHENTICATED);
  });

  test("Connect", async () => {
    const target = `${SERVICE}/AdminIssueApiKey`;
    const { status, text } = await sendByFetch(server.url, { method: "POST", target, headers: JSON_TYPE, body: "{" });
    expect([status, JSON.parse(text)]).toMatchObject([
      401,
      { code: "unauthenticated", message: UNAUTHENTICATED.message, details: [{ type: "google.rpc.ErrorInfo" }] },
    ]);
  });

  test("before the body is read: the answer comes while it is still missing", async () => {
    const connection = await RawConnection.open(server.address);
    await connection.write(
      `POST ${KEYS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n`,
    );
    expect(factsOfRaw(await readHttp1Reply(connection))).toEqual(UNAUTHENTICATED);
    connection.destroy();
  });
});

describe("a body that is too large leaves the connection usable", () => {
  test.each([
    ["with its length", `content-length: ${MEBIBYTE + 1}`, "x".repeat(MEBIBYTE + 1)],
    [
      "in chunks",
      "transfer-encoding: chunked",
      `${(MEBIBYTE + 1).toString(16)}\r\n${"x".repeat(MEBIBYTE + 1)}\r\n0\r\n\r\n`,
    ],
  ])("%s", async (_, header, body) => {
    const connection = await RawConnection.open(server.address);
    const head = `authorization: Bearer ${server.tokens.admin}\r\ncontent-type: application/json\r\nhost: x`;
    await connection.write(`POST ${VERIFY} HTTP/1.1\r\n${head}\r\n${header}\r\n\r\n${body}`);
    expect(factsOfRaw(await readHttp1Reply(connection))).toEqual(
      refused("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE", `the body must be at most ${MEBIBYTE} bytes`),
    );
    connection.received = Buffer.alloc(0);
    const request = '{"credential":"x"}';
    await connection.write(`POST ${VERIFY} HTTP/1.1\r\n${head}\r\ncontent-length: ${request.length}\r\n\r\n${request}`);
    const { status, body: answer } = await readHttp1Reply(connection);
    expect([status, JSON.parse(answer)]).toMatchObject([200, { is_valid: false }]);
    connection.destroy();
  });
});

async function raw(request: string | Uint8Array) {
  const connection = await RawConnection.open(server.address);
  await connection.write(request);
  const reply = await readHttp1Reply(connection);
  connection.destroy();
  return reply;
}

function factsOfRaw({ status, body }: { readonly status: number; readonly body: string }): RefusalFacts {
  return restFacts({ status, headers: new Headers(), text: body });
}
