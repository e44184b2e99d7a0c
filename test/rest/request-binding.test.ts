import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ApiKeysService } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { type HttpBinding, readHttpRules } from "../../src/rest/http-rules.js";
import { compileBinding } from "../../src/rest/request-binding.js";
import { createRouter } from "../../src/rest/router.js";
import { caught, invalid } from "./caught.js";
import { makeSchema } from "./schema.js";
import { type RuleVector, vectors } from "./vectors.js";

interface Call {
  readonly body?: unknown;
  /** Instead of `body`: the text as it is. */
  readonly text?: string;
  readonly query?: string;
}

/** A server of these bindings: from a request to the JSON of the request message, with the names of proto. */
function lane(bindings: readonly HttpBinding[]): (request: string, call?: Call) => unknown {
  const router = createRouter(
    bindings.map((binding) => ({ ...binding, target: { bind: compileBinding(binding), desc: binding.method.input } })),
  );
  return (request, { body, text = body === undefined ? "" : JSON.stringify(body), query = "" } = {}) => {
    const [method = "", path = ""] = request.split(" ");
    const match = router.match(method, path);
    if (match?.kind !== "route") throw new Error(`no route for ${request}`);
    const { bind, desc } = match.target;
    const message = bind({ variables: match.variables, query, body: new TextEncoder().encode(text) });
    return toJson(desc, message, { useProtoFieldName: true });
  };
}

const send = lane(readHttpRules(ApiKeysService));
const refused = (request: string, call: Call): unknown => caught(() => send(request, call));

describe("worked examples of http.proto", () => {
  const messages = {
    Request: {
      name: "string",
      message_id: "string",
      user_id: "string",
      revision: "int64",
      sub: ".test.Sub",
      message: ".test.Message",
      text: "string",
    },
    Sub: { subfield: "string" },
    Message: { text: "string" },
  };

  const ruleOf = ({ get, patch, body = "", additional_bindings = [] }: RuleVector): object => ({
    pattern: get === undefined ? { case: "patch", value: patch } : { case: "get", value: get },
    body,
    additionalBindings: additional_bindings.map(ruleOf),
  });

  test.each(vectors.worked)("$rule $http.path", ({ rule, http, grpc }) => {
    const { service } = makeSchema(messages, { Call: { input: "Request", rule: ruleOf(rule) } });
    const [path = "", query = ""] = http.path.split("?");
    const sent = lane(readHttpRules(service))(`${http.method} ${path}`, { query, body: http.body });
    // int64 is a string in JSON; the comment in http.proto writes the number.
    expect(JSON.parse(JSON.stringify(sent).replace('"revision":"2"', '"revision":2'))).toEqual(grpc);
  });
});

const key = "/v2alpha1/admin/issuedApiKeys/k1";
const issue = "POST /v2alpha1/admin/issuedApiKeys";

describe("bodies", () => {
  test("the body is the request", () => {
    expect(send(issue, { body: { name: "n", actorId: "a", ttl: "1h" } })).toEqual({
      name: "n",
      actor_id: "a",
      ttl: "3600s",
    });
  });

  test("no body is an empty request", () => {
    expect(send(issue)).toEqual({});
    expect(send(`POST ${key}:rotate`)).toEqual({ key_id: "k1" });
    expect(send(`PATCH ${key}`)).toEqual({ issued_api_key: { key_id: "k1" } });
  });

  test("the path wins over the body, also when they differ", () => {
    expect(send(`POST ${key}:rotate`, { body: { key_id: "other" } })).toEqual({ key_id: "k1" });
    expect(send(`POST /v2alpha1/admin/importedApiKeys/k1:revoke`, { body: { collection: "issuedApiKeys" } })).toEqual({
      key_id: "k1",
      collection: "importedApiKeys",
    });
  });

  test("an id is decoded", () => {
    expect(send("GET /v2alpha1/admin/issuedApiKeys/a%2Fb%3A%E4%B8%96")).toEqual({ key_id: "a/b:世" });
  });

  test("a byte order mark is passed over", () => {
    expect(send(issue, { text: '\ufeff{"name": "n"}' })).toEqual({ name: "n" });
  });

  test.each<[string, Call, string]>([
    [issue, { text: "{" }, "body: not valid JSON"],
    [issue, { text: '{"secret": lk_v1_x}' }, "body: not valid JSON"],
    [issue, { text: " " }, "body: not valid JSON"],
    [issue, { text: "null" }, "body: expected an object, got null"],
    [issue, { text: "[]" }, "body: expected an object, got an array"],
    [issue, { text: '"a"' }, "body: expected an object, got a string"],
    [issue, { body: { nope: 1 } }, "nope: unknown field"],
    [
      issue,
      { body: {}, query: "name=n&x=" },
      "name: this method takes no query parameters; x: this method takes no query parameters",
    ],
    [`GET ${key}`, { body: {} }, "body: this method takes no body"],
    [`PATCH ${key}`, { text: "[]" }, "issued_api_key: expected an object, got an array"],
    [`PATCH ${key}`, { text: "null" }, "issued_api_key: expected an object, got null"],
    [`PATCH ${key}`, { body: { name: 1 } }, "issued_api_key.name: expected a string, got a number"],
    [
      `PATCH ${key}`,
      { body: { nope: 1 }, query: "nope=1" },
      "issued_api_key.nope: unknown field; nope: unknown query parameter",
    ],
    [`PATCH ${key}`, { query: "issued_api_key.name=n" }, "issued_api_key.name: belongs in the body"],
    [`PATCH ${key}`, { query: "issuedApiKey=n" }, "issuedApiKey: cannot be set in a query"],
    [`PATCH ${key}`, { query: "update_mask=name&updateMask=scopes" }, "update_mask: given twice"],
    [`GET ${key}`, { query: "key_id=k2" }, "key_id: is set by the path"],
  ])("%s %j", (request, call, message) => {
    expect(refused(request, call)).toEqual(invalid(message));
  });

  test("invalid UTF-8", () => {
    const [binding] = readHttpRules(ApiKeysService);
    if (!binding) throw new Error("no binding");
    const body = Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d);
    expect(caught(() => compileBinding(binding)({ variables: [], query: "", body }))).toEqual(
      invalid("body: not valid UTF-8"),
    );
  });

  test("the mistake does not keep the parser's message, which quotes the body", () => {
    try {
      send(issue, { text: "lk_v1_secret" });
    } catch (error) {
      expect((error as Error).cause).toBeUndefined();
    }
    expect.assertions(1);
  });
});

describe("PATCH", () => {
  const got = {
    key_id: "k2",
    name: "n",
    actor_id: "a",
    scopes: [],
    status: "KEY_STATUS_ACTIVE",
    create_time: "2021-01-01T00:00:00Z",
    rate_limit_policy: { quota: "5", window: "60s", unit: "" },
    revocation_description: "",
  };
  const patch = (call: Call): unknown => send(`PATCH ${key}`, call);

  test("GET, edit, PATCH: the mask holds what an update may change", () => {
    const { scopes, revocation_description, ...kept } = got;
    const expected = {
      issued_api_key: { ...kept, key_id: "k1", rate_limit_policy: { quota: "5", window: "60s" } },
      update_mask: "name,scopes,rateLimitPolicy",
    };
    expect(patch({ body: got })).toEqual(expected);
    expect(patch({ body: { issued_api_key: got } })).toEqual(expected);
    expect(patch({ body: { issuedApiKey: got } })).toEqual(expected);
  });

  test.each<[string, Call, unknown]>([
    ["an empty value is in the mask", { body: { name: "" } }, "name"],
    ["null is in the mask", { body: { metadata: null } }, "metadata"],
    ["camelCase is in the mask", { body: { ipRestriction: {} } }, "ipRestriction"],
    ["a stated mask stays", { body: { name: "n", scopes: [] }, query: "update_mask=metadata" }, "metadata"],
    [
      "in either case",
      { body: { name: "n" }, query: "updateMask=rateLimitPolicy,ip_restriction" },
      "rateLimitPolicy,ipRestriction",
    ],
    ["or in the body", { body: { issued_api_key: { name: "n" }, update_mask: "scopes" } }, "scopes"],
    ["a stated path is not judged here", { body: {}, query: "update_mask=*,nope" }, "*,nope"],
    ["an empty mask counts as none", { body: { name: "n" }, query: "update_mask=" }, "name"],
    ["so does null", { body: { issued_api_key: { name: "n" }, update_mask: null } }, "name"],
    [
      "null beside a mask in the query",
      { body: { issued_api_key: {}, update_mask: null }, query: "update_mask=name" },
      "name",
    ],
    ["only what no update may change", { body: { actor_id: "x", key_id: "y" } }, undefined],
    ["nothing", { body: {} }, undefined],
    ["a wrapped null", { body: { issued_api_key: null } }, undefined],
  ])("%s", (_, call, mask) => {
    const { issued_api_key, update_mask } = patch(call) as Record<string, unknown>;
    expect(issued_api_key).toMatchObject({ key_id: "k1" });
    expect(update_mask).toEqual(mask);
  });

  test.each<[string, Call, string]>([
    [
      "a mask given twice",
      { body: { issued_api_key: {}, updateMask: "name" }, query: "update_mask=name" },
      "update_mask: given both in the body and in the query",
    ],
    ["a wrapper beside bare fields", { body: { issued_api_key: {}, name: "n" } }, "name: unknown field"],
    [
      "a mask beside bare fields",
      { body: { name: "n", update_mask: "name" } },
      "issued_api_key.update_mask: unknown field",
    ],
    ["another method's wrapper", { body: { imported_api_key: {} } }, "issued_api_key.imported_api_key: unknown field"],
    [
      "two wrappers",
      { body: { issued_api_key: { issued_api_key: {} } } },
      "issued_api_key.issued_api_key: unknown field",
    ],
    ["a wrong wrapper", { body: { issued_api_key: "k" } }, "issued_api_key: expected an object, got a string"],
  ])("refuses %s", (_, call, message) => {
    expect(refused(`PATCH ${key}`, call)).toEqual(invalid(message));
  });

  test("an object is the bare field when the field has a field of its own name", () => {
    const { service } = makeSchema(
      { Request: { inner: ".test.Inner" }, Inner: { inner: "string" } },
      { Call: { input: "Request", rule: { pattern: { case: "patch", value: "/a" }, body: "inner" } } },
    );
    const call = lane(readHttpRules(service));
    expect(call("PATCH /a", { body: { inner: "x" } })).toEqual({ inner: { inner: "x" } });
    expect(caught(() => call("PATCH /a", { body: { inner: { inner: "x" } } }))).toEqual(
      invalid("inner.inner: expected a string, got an object"),
    );
  });

  test("a body field need not be a message", () => {
    const { service } = makeSchema(
      { Request: { names: "repeated string", id: "string", update_mask: ".google.protobuf.FieldMask" } },
      { Call: { input: "Request", rule: { pattern: { case: "put", value: "/a/{id}" }, body: "names" } } },
    );
    const call = lane(readHttpRules(service));
    expect(call("PUT /a/1", { body: ["x"], query: "update_mask=names" })).toEqual({
      names: ["x"],
      id: "1",
      update_mask: "names",
    });
    expect(caught(() => call("PUT /a/1", { body: { names: ["x"] } }))).toEqual(
      invalid("names: expected an array, got an object"),
    );
  });
});

describe("masks in a body of the whole request", () => {
  const rotate = (body: unknown): unknown => send(`POST ${key}:rotate`, { body });

  test("a rotation overrides what it names", () => {
    expect(rotate({ scopes: [], visibility: "KEY_VISIBILITY_PUBLIC", grace_period: "1h", request_id: "r" })).toEqual({
      key_id: "k1",
      visibility: "KEY_VISIBILITY_PUBLIC",
      grace_period: "3600s",
      request_id: "r",
      update_mask: "scopes,visibility",
    });
  });

  test("a stated mask stays, an empty one is filled, none is left alone", () => {
    expect(rotate({ name: "n", update_mask: "scopes" })).toEqual({ key_id: "k1", name: "n", update_mask: "scopes" });
    expect(rotate({ name: "n", updateMask: "" })).toEqual({ key_id: "k1", name: "n", update_mask: "name" });
    expect(rotate({ grace_period: "1h" })).toEqual({ key_id: "k1", grace_period: "3600s" });
  });

  test("a request without a mask gets none", () => {
    expect(send(issue, { body: { name: "n", scopes: [] } })).toEqual({ name: "n" });
  });

  test("a field that is no mask is not filled", () => {
    const { service } = makeSchema(
      { Request: { update_mask: "string", name: "maskable string" } },
      { Call: { input: "Request", rule: { pattern: { case: "post", value: "/a" }, body: "*" } } },
    );
    expect(lane(readHttpRules(service))("POST /a", { body: { name: "n" } })).toEqual({ name: "n" });
  });
});

describe("typed path variables", () => {
  const { service } = makeSchema(
    {
      Request: {
        count: "int32",
        kind: "enum:.test.Color",
        when: ".google.protobuf.Timestamp",
        flag: "bool",
        inner: ".test.Inner",
      },
      Inner: { id: "oneof:which string", other: "oneof:which string" },
    },
    {
      Count: { input: "Request", rule: { pattern: { case: "post", value: "/count/{count}/{kind}/{flag}/{when}" } } },
      Inner: { input: "Request", rule: { pattern: { case: "post", value: "/inner/{inner.id}" }, body: "inner" } },
    },
  );
  const call = lane(readHttpRules(service));

  test("are read as their field's type", () => {
    const sent = call("POST /count/5/1/true/2021-01-01T00:00:00Z");
    expect(sent).toEqual({ count: 5, kind: "RED", flag: true, when: "2021-01-01T00:00:00Z" });
  });

  test("and refused by name, all of them", () => {
    const message =
      "count: expected an integer from -2147483648 to 2147483647, got a string that is not one; " +
      "kind: expected one of COLOR_UNSPECIFIED, RED, ENUM_VALUE, got another string; " +
      "flag: expected true or false, got another text; " +
      "when: expected an RFC 3339 timestamp such as 2030-01-31T12:00:00Z, got another string";
    expect(caught(() => call("POST /count/a/b/c/d"))).toEqual(invalid(message));
  });

  test("win over another member of their oneof in the body", () => {
    expect(call("POST /inner/x", { body: { other: "y" } })).toEqual({ inner: { id: "x" } });
  });
});

test("a path variable replaces another member of its message's oneof", () => {
  const { service } = makeSchema(
    {
      Request: { one: "oneof:which .test.Inner", other: "oneof:which .test.Inner" },
      Inner: { id: "string", name: "string" },
    },
    { Call: { input: "Request", rule: { pattern: { case: "post", value: "/a/{one.id}" }, body: "*" } } },
  );
  const call = lane(readHttpRules(service));
  expect(call("POST /a/x", { body: { other: { name: "n" } } })).toEqual({ one: { id: "x" } });
  expect(call("POST /a/x", { body: { one: { name: "n" } } })).toEqual({ one: { id: "x", name: "n" } });
});

test("any body and query are a message or INVALID_ARGUMENT", () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"name"',
    '"issued_api_key"',
    '"update_mask"',
    ":",
    ",",
    "1",
    '"a"',
    "null",
    "\\",
    "é",
  );
  const text = fc.oneof(
    fc.array(piece).map((pieces) => pieces.join("")),
    fc.json(),
    fc.string(),
  );
  const query = fc.constantFrom("", "update_mask=name", "update_mask", "x=1", "%");
  const request = fc.constantFrom(issue, `PATCH ${key}`, `POST ${key}:rotate`, `GET ${key}`);
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(request, text, query, (to, body, ask) => {
      outcomes.add(caught(() => send(to, { text: body, query: ask }))?.reason ?? "message");
    }),
    { seed: 14, numRuns: 5_000 },
  );
  expect([...outcomes].sort()).toEqual(["INVALID_ARGUMENT", "message"]);
});
