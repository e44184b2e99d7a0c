import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { CallFailure, type CallFailureDetails, type Client } from "../../src/cli/client/client.js";
import { createImportSender } from "../../src/cli/send-imports.js";
import { ServiceError } from "../../src/errors.js";

const NAMED = 20;

/** A service whose answers to batches are decided by a function; what it was sent is counted. */
function createService(answer: (keys: readonly string[]) => readonly (string | undefined)[]) {
  const batches: number[] = [];
  const call: Client["call"] = async (rpc, { requests }) => {
    expect(rpc).toBe("adminBatchImportApiKeys");
    const keys = (requests as JsonObject[]).map(({ raw_key: key }) => String(key));
    batches.push(keys.length);
    const results = answer(keys).map((message, index) =>
      message === undefined ? { index, imported_api_key: {} } : { index, error_message: message },
    );
    return { results };
  };
  return { batches, send: createImportSender({ call, checkHealth: async () => "SERVING", close: async () => {} }) };
}

function refuse(details: CallFailureDetails): never {
  throw new CallFailure("none", details);
}

const requestsOf = (keys: readonly string[]) => keys.map((key) => ({ raw_key: key }));
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

test("an outcome for each request, in their order", async () => {
  const { batches, send } = createService((keys) => keys.map((key) => (key === "key-1" ? "exists" : undefined)));
  expect(await send(requestsOf(numbered(3)))).toEqual([undefined, "exists", undefined]);
  expect(batches).toEqual([3]);
});

test("requests that cannot be read are named, and the others sent again at once", async () => {
  const { batches, send } = createService((keys) => {
    const fields = keys.flatMap((key, index) =>
      key.startsWith("bad") ? [{ field: `requests[${index}].ttl`, description: "expected a duration" }] : [],
    );
    // As many mistakes as one refusal names.
    return fields.length === 0
      ? keys.map(() => undefined)
      : refuse({ reason: "INVALID_ARGUMENT", fields: fields.slice(0, 2) });
  });
  const keys = ["a", "bad-1", "b", "bad-2", "bad-3", "c"];
  const bad = "ttl: expected a duration";
  expect(await send(requestsOf(keys))).toEqual([undefined, bad, undefined, bad, bad, undefined]);
  expect(batches).toEqual([6, 4, 3]);
});

test("several fields of one request are all said", async () => {
  const fields = ["ttl", "scopes[0]"].map((field) => ({ field: `requests[0].${field}`, description: "is wrong" }));
  const { send } = createService(() => refuse({ reason: "INVALID_ARGUMENT", fields }));
  expect(await send(requestsOf(["a"]))).toEqual(["ttl: is wrong; scopes[0]: is wrong"]);
});

test("when nothing of a batch was imported, the unnamed ones are sent in parts that can be named", async () => {
  const { batches, send } = createService((keys) => {
    const fields = keys.map((_, index) => ({ field: `requests[${index}]`, description: `exists: ${keys[index]}` }));
    return refuse({ reason: "API_KEY_EXISTS", fields: fields.slice(0, NAMED) });
  });
  const keys = numbered(65);
  expect(await send(requestsOf(keys))).toEqual(keys.map((key) => `exists: ${key}`));
  expect(batches).toEqual([65, 20, 20, 5]);
});

test("a batch that is too large is sent in halves, down to the request that is", async () => {
  const { send } = createService((keys) =>
    keys.includes("large") ? refuse({ reason: "PAYLOAD_TOO_LARGE" }) : keys.map(() => undefined),
  );
  expect(await send(requestsOf(["a", "b", "large", "c"]))).toEqual([undefined, undefined, "none", undefined]);
});

test("a refusal that names requests which were not sent comes to an end", async () => {
  const fields = [{ field: "requests[9].ttl", description: "is wrong" }];
  const { batches, send } = createService(() => refuse({ reason: "INVALID_ARGUMENT", fields }));
  expect(await send(requestsOf(["a", "b"]))).toEqual(["ttl: is wrong", "ttl: is wrong"]);
  expect(batches).toEqual([2, 1, 1]);
});

test("a refusal in this process is one", async () => {
  const { send } = createService(() => {
    throw new ServiceError("INVALID_ARGUMENT", "requests[0].x: unknown field", {
      fields: [{ field: "requests[0].x", description: "unknown field" }],
    });
  });
  expect(await send(requestsOf(["a"]))).toEqual(["x: unknown field"]);
});

test("a service that cannot be reached is asked again", async () => {
  let calls = 0;
  const { batches, send } = createService((keys) => {
    calls += 1;
    return calls < 3 ? refuse({ isUnreachable: true }) : keys.map(() => undefined);
  });
  expect(await send(requestsOf(["a"]))).toEqual([undefined]);
  expect(batches).toEqual([1, 1, 1]);
});

test("for so long, and then it is told", async () => {
  const failure = new CallFailure("gone", { isUnreachable: true });
  const { batches, send } = createService(() => {
    throw failure;
  });
  await expect(send(requestsOf(["a"]))).rejects.toBe(failure);
  expect(batches).toHaveLength(5);
}, 30_000);

test.each(["FORBIDDEN", "UNAUTHENTICATED", "INTERNAL", ""])(
  "a caller who is refused is told at once: %s",
  async (reason) => {
    const failure = new CallFailure("no", { reason });
    const { batches, send } = createService(() => {
      throw failure;
    });
    await expect(send(requestsOf(["a", "b"]))).rejects.toBe(failure);
    expect(batches).toEqual([2]);
  },
);

test("an answer without results, and a defect, are no outcomes", async () => {
  const defect = new TypeError("a defect");
  const sendTo = (call: Client["call"]) =>
    createImportSender({ call, checkHealth: async () => "SERVING", close: async () => {} })(requestsOf(["a"]));
  await expect(sendTo(async () => ({ hello: 1 }))).rejects.toThrow(
    "the answer is not one of Latchkey: it has no results",
  );
  await expect(sendTo(() => Promise.reject(defect))).rejects.toBe(defect);
});
