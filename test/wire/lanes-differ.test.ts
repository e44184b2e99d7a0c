/**
 * The grpc-unary lane promises the answers of the connect lane. Both are given the same requests, on two servers that share
 * their settings and their store, and have to agree on all that a client sees and on the line in the access log.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { AdminIssueApiKeyResponseSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { bearer } from "../e2e/clients/api-client.js";
import { createRandom } from "../e2e/create-random.js";
import { eventually } from "../e2e/eventually.js";
import { adminTokens, startTestServer, type TestServer } from "../e2e/server.js";
import { ChunkedSocket, type Chunking } from "./chunked-socket.js";
import { type GeneratedCall, generateCall, type Sample, splitCall, splitLength } from "./generate-call.js";
import { type Observed, sendCall } from "./send-call.js";

const SEED = 20_261_123;
const AT_ONCE = 20;
const ISSUE = "AdminIssueApiKey";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Differ with each issued key. */
const MADE = /^(key_id|secret|.*_time|.*Time|keyId)$/;
const PREFIX_BYTES = 5;
const FLUSH_MS = 1;
/** Of many differences, most have the same cause. */
const SHOWN = 3;

/** Calls per way to cut the connection's bytes. */
const CALLS: Readonly<Record<Chunking, number>> = {
  "as they come": 2_000,
  "one byte each": 300,
  "at random": 600,
  "as few as possible": 800,
};

const directory = mkdtempSync(join(tmpdir(), "latchkey-lanes-"));
let fast: TestServer;
let slow: TestServer;
let sample: Sample;

beforeAll(async () => {
  fast = await startTestServer({ env: { LATCHKEY_DATA_DIR: directory } });
  slow = await startTestServer({
    env: {
      LATCHKEY_DATA_DIR: directory,
      LATCHKEY_ADMIN_TOKENS: adminTokens(fast.tokens),
      LATCHKEY_SERVER_GRPC_UNARY_LANE: "false",
    },
  });
  const response = await fetch(`${fast.url}/v2alpha1/admin/issuedApiKeys`, {
    method: "POST",
    headers: { ...bearer(fast.tokens.admin), "content-type": "application/json" },
    body: JSON.stringify({ name: "sample", actor_id: "sample" }),
  });
  const answer = (await response.json()) as { secret: string; issued_api_key: { key_id: string } };
  sample = { tokens: fast.tokens, keyId: answer.issued_api_key.key_id, secret: answer.secret };
});
afterAll(async () => {
  await Promise.all([fast.close(), slow.close()]);
  rmSync(directory, { recursive: true, force: true });
});

test.each(Object.entries(CALLS) as [Chunking, number][])(
  "bytes sent %s",
  async (chunking, count) => {
    const random = createRandom(SEED + count);
    const calls = Array.from({ length: count }, (_, index) => generateCall(random, count * 10_000 + index, sample));
    await compare(calls, chunking);
  },
  120_000,
);

test("a message that is split at every byte", async () => {
  const positions = Array.from({ length: splitLength(sample) + 1 }, (_, position) => position);
  const calls = positions.map((position) => splitCall(position, position, sample));
  const answers = await compare(calls, "as they come");
  for (const answer of answers) expect(answer).toMatchObject({ trailers: { "grpc-status": "0" } });
});

/** Sends each to both servers and compares; answers what the clients of one of them saw. */
async function compare(calls: readonly GeneratedCall[], chunking: Chunking): Promise<(Observed | undefined)[]> {
  const [ofFast, ofSlow] = await Promise.all([sendAll(fast, calls, chunking), sendAll(slow, calls, chunking)]);
  const differences = calls.flatMap((call, index) => {
    const pair = [normalise(call, ofFast[index]), normalise(call, ofSlow[index])];
    return JSON.stringify(pair[0]) === JSON.stringify(pair[1])
      ? []
      : [{ call: call.name, fast: pair[0], slow: pair[1] }];
  });
  expect(differences.slice(0, SHOWN)).toEqual([]);
  await compareLogs(calls);
  return ofFast;
}

async function sendAll(
  server: TestServer,
  calls: readonly GeneratedCall[],
  chunking: Chunking,
): Promise<(Observed | undefined)[]> {
  const socket = new ChunkedSocket(Number(new URL(server.url).port), chunking, createRandom(SEED));
  const session: ClientHttp2Session = connect(server.url, { createConnection: () => socket });
  const flushing = setInterval(() => socket.flush(), FLUSH_MS);
  try {
    const answers: (Observed | undefined)[] = [];
    for (let start = 0; start < calls.length; start += AT_ONCE) {
      const group = calls.slice(start, start + AT_ONCE);
      answers.push(...(await Promise.all(group.map((call) => sendCall(session, call)))));
    }
    return answers;
  } finally {
    clearInterval(flushing);
    session.destroy();
  }
}

/** Takes away what differs between any two calls, and sorts. */
function normalise(call: GeneratedCall, observed: Observed | undefined): unknown {
  if (observed === undefined) return undefined;
  // What the connect lane says of compression, which it does when it is asked to; the other one never does.
  const { date: _, "grpc-encoding": _encoding, "x-request-id": requestId, ...headers } = observed.headers;
  if (call.requestId === undefined && requestId !== undefined) expect(requestId).toMatch(UUID);
  const shownId = call.requestId === undefined ? "made by the server" : requestId;
  return {
    headers: Object.entries({ ...headers, "x-request-id": shownId }).sort(),
    trailers: Object.entries(observed.trailers).sort(),
    message: messageOf(call, observed),
    resetCode: observed.resetCode,
  };
}

/** Only issue answers something new each time. What is not of gRPC has no envelope, and is an error. */
function messageOf({ headers }: GeneratedCall, { headers: { "content-type": type }, body }: Observed): unknown {
  const isIssue = String(headers[":path"]).endsWith(ISSUE) && String(type).startsWith("application/grpc");
  if (!isIssue || body.length === 0) return body.toString("base64");
  const length = body.readUInt32BE(1);
  expect([body[0], length]).toEqual([0, body.length - PREFIX_BYTES]);
  const data = body.subarray(PREFIX_BYTES);
  if (String(type).endsWith("json")) return blank(JSON.parse(data.toString()));
  const message = fromBinary(AdminIssueApiKeyResponseSchema, data);
  return blank(toJson(AdminIssueApiKeyResponseSchema, message, { useProtoFieldName: true }));
}

function blank(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, field: unknown) => (MADE.test(name) ? "made" : field)));
}

type Line = Readonly<Record<string, unknown>>;

/** Each call that has a name has one line, the same on both. */
async function compareLogs(calls: readonly GeneratedCall[]): Promise<void> {
  const named = calls.filter(({ requestId }) => requestId !== undefined);
  const [ofFast, ofSlow] = await Promise.all([fast, slow].map((server) => linesOf(server, named)));
  const differences = named.flatMap(({ name, ending, requestId = "" }) => {
    const pair = [ofFast?.get(requestId), ofSlow?.get(requestId)] as const;
    // Whether the answer was faster than the client's change of mind is a matter of time.
    const wasCut = ending === "cancel after the end" && pair.some((lines) => lines?.[0]?.reason === "CANCELLED");
    const isSame = wasCut
      ? pair.every((lines) => lines?.length === 1)
      : JSON.stringify(pair[0]) === JSON.stringify(pair[1]);
    return isSame && pair[0]?.length === 1 ? [] : [{ name, fast: pair[0], slow: pair[1] }];
  });
  expect(differences.slice(0, SHOWN)).toEqual([]);
}

function linesOf(server: TestServer, calls: readonly GeneratedCall[]): Promise<ReadonlyMap<string, readonly Line[]>> {
  const ids = new Set(calls.map(({ requestId }) => requestId));
  return eventually("every call to be logged", () => {
    const lines = new Map<string, Line[]>();
    for (const text of server.log) {
      if (!text.includes('"msg":"call"')) continue;
      const {
        request_id: id,
        protocol,
        method,
        code,
        reason,
        caller,
      } = JSON.parse(text) as Line & { request_id: string };
      if (ids.has(id)) lines.set(id, [...(lines.get(id) ?? []), { protocol, method, code, reason, caller }]);
    }
    return lines.size === ids.size ? lines : undefined;
  });
}
