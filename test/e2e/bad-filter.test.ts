/** Filters, page tokens and masks that no client would send, byte by byte: refused, never INTERNAL. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { invalid, type RefusalFacts, refused } from "./api.js";
import { bearer } from "./clients/api-client.js";
import { sendByFetch } from "./clients/rest-client.js";
import { callGrpc, envelope } from "./grpc-wire.js";
import { connectFacts, restFacts } from "./refusal-facts.js";
import { seriousLines, startTestServer, type TestServer } from "./server.js";

const KEYS = "/v2alpha1/admin/issuedApiKeys";
const KEY_ID = "01890000-0000-7000-8000-000000000000";
const RPC = "/latchkey.v2alpha1.ApiKeysService/AdminListIssuedApiKeys";
const JSON_TYPE = { "content-type": "application/json" };
const UTF8_RULE = "malformed percent-encoding, or not UTF-8";
const TOO_LONG = invalid("filter", "must be at most 4096 bytes", "INVALID_FILTER");
const LONE_SURROGATE = "expected well-formed Unicode, got a lone surrogate";
const WRONG_TOKEN = "is not a next_page_token of this list with this filter";
/** Field numbers of AdminListIssuedApiKeysRequest, as tags of a text. */
const PAGE_TOKEN_TAG = 0x12;
const FILTER_TAG = 0x1a;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
afterEach(() => {
  expect(seriousLines(server.log)).toEqual([]);
});

async function rest(method: string, target: string, body?: string): Promise<RefusalFacts> {
  const headers = { ...bearer(server.tokens.admin), ...(body !== undefined && JSON_TYPE) };
  return restFacts(await sendByFetch(server.url, { method, target, headers, ...(body !== undefined && { body }) }));
}

describe("over REST", () => {
  test.each(["%ff", "name=%22%c0%80%22", "%ed%a0%80", "name=%22%f4%90%80%80%22", "%", "%2", "%zz", "name=%22%80%22"])(
    "a filter that is no UTF-8: %s",
    async (filter) => {
      expect(await rest("GET", `${KEYS}?filter=${filter}`)).toEqual(invalid("query", UTF8_RULE));
    },
  );

  test.each([
    ["filter=a&filter=b", "filter", "given twice"],
    ["filter[$ne]=x", "(a name of 11 characters)", "unknown query parameter"],
    ["filter.name=x", "filter.name", "unknown query parameter"],
    ["__proto__=x", "__proto__", "unknown query parameter"],
    ["page_token[$gt]=", "(a name of 15 characters)", "unknown query parameter"],
    ["order_by=name", "order_by", "unknown query parameter"],
    ["skip=10", "skip", "unknown query parameter"],
  ])("the query %s", async (query, field, description) => {
    expect(await rest("GET", `${KEYS}?${query}`)).toEqual(invalid(field, description));
  });

  test("a filter of 10,000 parentheses", async () => {
    for (const filter of ["(".repeat(10_000), `${"(".repeat(5_000)}${")".repeat(5_000)}`]) {
      expect(await rest("GET", `${KEYS}?filter=${filter}`)).toEqual(TOO_LONG);
    }
  });

  test.each(["%00", "%22", "{$ne:null}", "..%2F..", "A%0d%0aB", "%F0%9F%94%91", "+", "%2B", "true", "0"])(
    "the page token %s",
    async (token) => {
      expect(await rest("GET", `${KEYS}?page_token=${token}`)).toEqual(
        invalid("page_token", WRONG_TOKEN, "INVALID_PAGE_TOKEN"),
      );
    },
  );

  test.each([
    ["update_mask=%ff", invalid("query", UTF8_RULE)],
    ["update_mask=name,,scopes", invalid("update_mask", "expected comma-separated field names, got an empty one")],
    ["update_mask[$set]=name", invalid("(a name of 17 characters)", "unknown query parameter")],
    ["update_mask.paths=name", invalid("update_mask.paths", "unknown query parameter")],
  ])("the mask %s", async (query, expected) => {
    expect(await rest("PATCH", `${KEYS}/${KEY_ID}?${query}`, '{"name":"n"}')).toEqual(expected);
  });
});

describe("over Connect JSON", () => {
  test.each([
    ["half a character", '{"filter":"name=\\"\\ud800\\""}', invalid("filter", LONE_SURROGATE)],
    ["half a character for a token", '{"page_token":"\\udfff"}', invalid("page_token", LONE_SURROGATE)],
    ["an operator", '{"filter":{"$ne":null}}', invalid("filter", "expected a string, got an object")],
    ["10,000 parentheses", `{"filter":"${"(".repeat(10_000)}"}`, TOO_LONG],
    ["a list", '{"filter":["name=a"]}', invalid("filter", "expected a string, got an array")],
    ["an operator for a token", '{"page_token":{"$gt":""}}', invalid("page_token", "expected a string, got an object")],
    ["bytes that are no UTF-8", Buffer.from('{"filter":"\xff"}', "latin1"), invalid("body", "not valid UTF-8")],
  ])("%s", async (_, body, expected) => {
    const headers = { ...bearer(server.tokens.admin), ...JSON_TYPE };
    const { status, text } = await sendByFetch(server.url, { method: "POST", target: RPC, headers, body });
    expect([status, connectFacts(text)]).toEqual([400, expected]);
  });
});

describe("over gRPC", () => {
  const UNDECODABLE = refused(
    "INVALID_ARGUMENT",
    "INVALID_ARGUMENT",
    "the request cannot be decoded as latchkey.v2alpha1.AdminListIssuedApiKeysRequest",
  );

  test.each([
    ["a byte that begins nothing", [0xff]],
    ["an overlong NUL", [0xc0, 0x80]],
    ["half a character", [0xed, 0xa0, 0x80]],
    ["a character cut short", [0xf0, 0x9f, 0x94]],
    ["more than Unicode has", [0xf4, 0x90, 0x80, 0x80]],
  ])("texts with %s", async (_, bytes) => {
    for (const tag of [FILTER_TAG, PAGE_TOKEN_TAG]) {
      const message = envelope(Buffer.from([tag, bytes.length, ...bytes]));
      expect(await callGrpc(server.url, RPC, message, bearer(server.tokens.admin))).toMatchObject(UNDECODABLE);
    }
  });

  test("a filter of NULs, and one of 10,000 parentheses", async () => {
    const nuls = envelope(Buffer.from([FILTER_TAG, 3, 0, 0, 0]));
    expect(await callGrpc(server.url, RPC, nuls, bearer(server.tokens.admin))).toMatchObject({
      reason: "INVALID_FILTER",
      fields: [
        { field: "filter", description: "column 1: unexpected character U+0000; values that hold it go in quotes" },
      ],
    });
    // The length as a varint of two bytes.
    const length = [0x90, 0x4e];
    const parentheses = envelope(Buffer.concat([Buffer.from([FILTER_TAG, ...length]), Buffer.alloc(10_000, "(")]));
    expect(await callGrpc(server.url, RPC, parentheses, bearer(server.tokens.admin))).toMatchObject(TOO_LONG);
  });
});
