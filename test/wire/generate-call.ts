/** Requests to unary RPCs over gRPC, good and bad, that are the same for the same seed. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AdminGetIssuedApiKeyRequestSchema,
  AdminIssueApiKeyRequestSchema,
  AdminVerifyApiKeyRequestSchema,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { envelope } from "../e2e/grpc-wire.js";
import type { Tokens } from "../e2e/server.js";

const SERVICE = "/latchkey.v2alpha1.ApiKeysService";
const MOST_PIECES = 4;
/** One call in so many has a body that is larger than may be. */
const OVERSIZE_RARITY = 150;
const OVERSIZE_BYTES = 1024 * 1024 + 100;

/** What the client does after the bytes: goes on to the end, leaves at this point, or just says nothing more. */
export type Ending = "end" | "stall" | "cancel after headers" | "cancel after half the body" | "cancel after the end";

export interface GeneratedCall {
  /** What to show when its answers differ. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The body, one DATA frame each. */
  readonly pieces: readonly Uint8Array[];
  readonly trailers: Readonly<Record<string, string>> | undefined;
  readonly ending: Ending;
  /** Absent: the server makes one up. */
  readonly requestId: string | undefined;
}

export interface Sample {
  readonly tokens: Tokens;
  /** A key that is there. */
  readonly keyId: string;
  readonly secret: string;
}

/** `random` answers whole numbers below 2^24. `index` is in the request id. */
export function generateCall(random: () => number, index: number, sample: Sample): GeneratedCall {
  const pick = <T>(...choices: readonly T[]): T => choices[random() % choices.length] as T;
  const oneIn = (count: number) => random() % count === 0;
  const endings: readonly Ending[] = ["cancel after headers", "cancel after half the body", "cancel after the end"];
  const ending: Ending = oneIn(10) ? pick(...endings) : oneIn(40) ? "stall" : "end";
  const [rpc, message] = pick(...messages(sample));
  const [shape, body] = oneIn(OVERSIZE_RARITY)
    ? (["oversize", envelope(new Uint8Array(OVERSIZE_BYTES))] as const)
    : oneIn(2)
      ? (["as it should be", envelope(message)] as const)
      : pick(...broken(message));
  const [token, authorization] = pick(...authorizations(sample.tokens));
  const timeout =
    ending === "stall" ? "30m" : pick(undefined, undefined, "10S", "500000m", "0S", "1x", "123456789S", "");
  const isNamed = ending !== "end" || !oneIn(4);
  const requestId = isNamed ? `differ-${index}` : undefined;
  const rejectedId = pick(undefined, "not an id!", "x".repeat(129));
  const type = pick("application/grpc", "application/grpc", "application/grpc+proto");
  const headers = defined<string | string[]>({
    ":method": oneIn(60) ? "GET" : "POST",
    ":path": `${SERVICE}/${rpc}`,
    "content-type": oneIn(30) ? pick("application/grpc+json", "application/grpc+thrift", "Application/gRPC") : type,
    te: oneIn(4) ? undefined : "trailers",
    authorization,
    "grpc-timeout": timeout,
    "connect-timeout-ms": oneIn(40) ? pick("9000", "0", "x") : undefined,
    "grpc-encoding": oneIn(8) ? pick("identity", "gzip", "br") : undefined,
    "grpc-accept-encoding": oneIn(3) ? pick("gzip", "identity,gzip", "snappy", "identity") : undefined,
    "x-request-id": requestId ?? rejectedId,
    "x-several": oneIn(4) ? ["one", "two", "two"] : undefined,
    "trace-bin": oneIn(4) ? pick("AAEC", "AAE=", "not base64!", "") : undefined,
    "user-agent": oneIn(2) ? "generated/1.0" : undefined,
    "content-length": oneIn(12) ? String(body.length) : undefined,
  });
  const trailers = ending === "end" && oneIn(10) ? { "x-trailer": "from the client", "t-bin": "AAEC" } : undefined;
  return {
    name: `#${index} ${rpc}, body ${shape}, token ${token}, ${ending}`,
    headers,
    pieces: split(body, random),
    trailers,
    ending,
    requestId,
  };
}

/** A call with a message that is split in two at this byte. */
export function splitCall(index: number, position: number, sample: Sample): GeneratedCall {
  const [, [rpc, message]] = messages(sample);
  const body = envelope(message);
  const requestId = `split-${index}`;
  const headers = {
    ":method": "POST",
    ":path": `${SERVICE}/${rpc}`,
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${sample.tokens.admin}`,
    "x-request-id": requestId,
  };
  const pieces = [body.subarray(0, position), body.subarray(position)].filter(({ length }) => length > 0);
  return { name: `split at ${position}`, headers, pieces, trailers: undefined, ending: "end", requestId };
}

/** Bytes of the envelope that `splitCall` splits. */
export function splitLength(sample: Sample): number {
  const [, [, message]] = messages(sample);
  return envelope(message).length;
}

type Named = readonly [string, Uint8Array];

function messages({ keyId, secret }: Sample): readonly [Named, Named, ...Named[]] {
  const issue = (name: string, actorId: string) =>
    toBinary(AdminIssueApiKeyRequestSchema, create(AdminIssueApiKeyRequestSchema, { name, actorId }));
  const verify = (credential: string) =>
    toBinary(AdminVerifyApiKeyRequestSchema, create(AdminVerifyApiKeyRequestSchema, { credential }));
  const get = (id: string) =>
    toBinary(AdminGetIssuedApiKeyRequestSchema, create(AdminGetIssuedApiKeyRequestSchema, { keyId: id }));
  return [
    ["AdminIssueApiKey", issue("generated", "actor")],
    ["AdminVerifyApiKey", verify(secret)],
    ["AdminIssueApiKey", issue("", "")],
    ["AdminIssueApiKey", issue("näme,: 100 % ☃", "\u0000")],
    ["AdminVerifyApiKey", verify("unknown")],
    ["AdminVerifyApiKey", verify("")],
    ["AdminGetIssuedApiKey", get(keyId)],
    ["AdminGetIssuedApiKey", get("00000000-0000-4000-8000-000000000000")],
    ["AdminGetIssuedApiKey", get("no id")],
    ["GetJwks", new Uint8Array()],
    ["RevokeApiKey", new Uint8Array()],
    ["NoSuchMethod", new Uint8Array()],
  ];
}

function broken(message: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const good = envelope(message);
  return [
    ["empty", new Uint8Array()],
    ["half a prefix", good.subarray(0, 3)],
    ["a prefix alone that promises more", envelope(new Uint8Array(), 0, 7)],
    ["an empty message", envelope(new Uint8Array())],
    ["cut short", good.subarray(0, -1)],
    ["a length that is too short", envelope(message, 0, Math.max(0, message.length - 1))],
    ["4 GiB, says the prefix", envelope(message, 0, 0xffffffff)],
    ["two messages", Buffer.concat([good, good])],
    ["compressed, says the flag", envelope(message, 1)],
    ["flags that mean nothing", envelope(message, 0x82)],
    ["garbage", envelope(Buffer.from([0xff, 0xff, 0xff]))],
    ["a field cut short", envelope(Buffer.from([0x0a, 0x05, 0x61]))],
    ["a text that is no UTF-8", envelope(Buffer.from([0x0a, 0x01, 0xff]))],
  ];
}

function authorizations(tokens: Tokens): readonly (readonly [string, string | undefined])[] {
  return [
    ["admin", `Bearer ${tokens.admin}`],
    ["admin", `Bearer ${tokens.admin}`],
    ["admin", `bearer  ${tokens.admin} `],
    ["reader", `Bearer ${tokens.reader}`],
    ["verifier", `Bearer ${tokens.verifier}`],
    ["missing", undefined],
    ["wrong", "Bearer wrong"],
    ["malformed", "Basic Og=="],
  ];
}

function split(body: Uint8Array, random: () => number): Uint8Array[] {
  const cuts = Array.from({ length: random() % MOST_PIECES }, () => random() % (body.length + 1));
  const edges = [0, ...cuts.sort((a, b) => a - b), body.length];
  return edges.slice(1).flatMap((end, index) => {
    const piece = body.subarray(edges[index], end);
    return piece.length === 0 ? [] : [piece];
  });
}

function defined<T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, T] => entry[1] !== undefined));
}
