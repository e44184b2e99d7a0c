import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openApi } from "../../gen/openapi.js";
import { readRefusal, sendByFetch } from "./clients/rest-client.js";
import { startTestServer, type TestServer } from "./server.js";

const PATH = "/openapi.json";
const CACHE_CONTROL = "public, max-age=300";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test("the document is for everybody", async () => {
  const { status, headers, text } = await sendByFetch(server.url, {
    method: "GET",
    target: `${PATH}?a=b`,
    headers: {},
  });
  expect([status, JSON.parse(text)]).toEqual([200, openApi]);
  expect(headers.get("content-type")).toBe("application/json");
  expect(headers.get("cache-control")).toBe(CACHE_CONTROL);
  expect(headers.get("etag")).toBe(`"${createHash("sha256").update(text).digest("base64url")}"`);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("whoever has it is answered 304 without a body", async () => {
  const etag = (await sendByFetch(server.url, { method: "GET", target: PATH, headers: {} })).headers.get("etag") ?? "";
  const known = await sendByFetch(server.url, { method: "GET", target: PATH, headers: { "if-none-match": etag } });
  expect([known.status, known.text]).toEqual([304, ""]);
  expect([known.headers.get("etag"), known.headers.get("cache-control")]).toEqual([etag, CACHE_CONTROL]);
  const other = await sendByFetch(server.url, { method: "GET", target: PATH, headers: { "if-none-match": '"other"' } });
  expect(other.status).toBe(200);
});

test("it is for reading only", async () => {
  const reply = await sendByFetch(server.url, { method: "POST", target: PATH, headers: {}, body: "{}" });
  expect(readRefusal(reply)).toMatchObject({
    reason: "METHOD_NOT_ALLOWED",
    message: "the method POST is not allowed here",
  });
  expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET"]);
  expect(reply.headers.get("cache-control")).toBe("no-store");
});

test("a timeout that cannot be read is refused as anywhere", async () => {
  const reply = await sendByFetch(server.url, { method: "GET", target: PATH, headers: { "grpc-timeout": "soon" } });
  expect(readRefusal(reply)).toMatchObject({
    reason: "INVALID_ARGUMENT",
    message: "grpc-timeout: is not a valid timeout",
  });
  expect(reply.status).toBe(400);
});

test("only that path is it", async () => {
  const reply = await sendByFetch(server.url, { method: "GET", target: `${PATH}/`, headers: {} });
  expect([reply.status, readRefusal(reply).reason]).toEqual([404, "ROUTE_NOT_FOUND"]);
});
