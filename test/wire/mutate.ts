/** Conversations with mistakes in them, that are the same for the same seed. */
import { envelope } from "../e2e/grpc-wire.js";
import {
  END_HEADERS,
  END_STREAM,
  encodeHeaders,
  FrameType,
  frame,
  headersFrame,
  opening,
  PREFACE,
  resetFrame,
  uint32,
} from "./http2-frames.js";
import { VERIFY_PATH } from "./victim.js";

export type Random = () => number;

const MANY_HEADERS = 10_000;
const LARGEST_NOISE = 400;
const MOST_FRAMES = 12;
const BYTE = 256;
const WINDOW_MAX = 0x7fffffff;
const SERVICE_PATHS = [
  VERIFY_PATH,
  "/latchkey.v2alpha1.ApiKeysService/AdminIssueApiKey",
  "/grpc.health.v1.Health/Watch",
];
const TYPES = ["application/grpc", "application/grpc+proto", "application/json", "application/grpc-web+proto", "a/b"];
const TLS_HELLO = Buffer.from("16030100c8010000c40303", "hex");
const PROXY_V2 = Buffer.from("0d0a0d0a000d0a515549540a21110010", "hex");

/** The bytes of one connection, as they are written one after the other. */
export function createConversation(random: Random): Buffer[] {
  const kinds = [http2, http2, http2, http1, http1, foreign, () => noise(random)];
  const parts = pick(random, kinds)(random);
  return random() % 2 === 0 ? [parts].flat() : [damage(Buffer.concat([parts].flat()), random)];
}

function http1(random: Random): Buffer[] {
  const body = JSON.stringify({ credential: "x".repeat(random() % 50) });
  const length = pick(random, [body.length, body.length + 5, 0, -1, 1e20]);
  const framing = pick(random, [`content-length: ${length}`, "transfer-encoding: chunked", "transfer-encoding: x"]);
  const target = pick(random, [
    VERIFY_PATH,
    "/v2alpha1/admin/apiKeys:verify",
    "/health/ready",
    "/%zz",
    "*",
    "http://a/b",
  ]);
  const type = `content-type: ${pick(random, TYPES)}`;
  const extra = pick(random, [
    "x: y",
    "expect: 100-continue",
    "upgrade: h2c\r\nconnection: upgrade",
    "host: z",
    ": empty",
  ]);
  const method = pick(random, ["POST", "GET", "HEAD", "CONNECT", "OPTIONS", "BREW", ""]);
  const head = [`${method} ${target} HTTP/1.1`, "host: x", type, extra, framing];
  if (random() % 10 === 0) head.push(...Array.from({ length: MANY_HEADERS }, (_, index) => `a${index}: b`));
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const wanted = framing.endsWith("chunked") ? chunked : body;
  const request = Buffer.from(`${head.join("\r\n")}\r\n\r\n${wanted}`);
  return Array.from({ length: 1 + (random() % 3) }, () => request);
}

function http2(random: Random): Buffer[] {
  const frames = Array.from({ length: 1 + (random() % MOST_FRAMES) }, () => anyFrame(random));
  return [opening(), ...frames];
}

function anyFrame(random: Random): Buffer {
  const id = pick(random, [1, 1, 1, 3, 3, 5, 7, 2, 0]);
  const path = pick(random, SERVICE_PATHS);
  const fields = { ":method": "POST", ":scheme": "http", ":path": path, ":authority": "x" };
  const call = { ...fields, "content-type": pick(random, TYPES), "content-length": pick(random, ["3", "8", "x"]) };
  const plain = { ...fields, "content-type": "application/grpc" };
  const flags = pick(random, [0, END_STREAM, END_HEADERS, END_HEADERS | END_STREAM, 0xff]);
  const message = envelope(Buffer.from([0x0a, 0x01, 0x61]), random() % 2, pick(random, [3, 3, 3, 2, 4, 0xffffffff]));
  const makers: readonly (() => Buffer)[] = [
    () => headersFrame(id, plain),
    () => headersFrame(id, plain),
    () => headersFrame(id, plain, END_HEADERS | END_STREAM),
    () => headersFrame(id, call, flags),
    () => headersFrame(id, { ...plain, Upper: "case", connection: "close", ":late": "x" }),
    () => headersFrame(id, { ...plain, te: "gzip", "grpc-timeout": pick(random, ["1n", "0S", "x", "5m"]) }),
    () => frame(FrameType.headers, END_HEADERS, id, encodeHeaders(manyHeaders(plain))).subarray(0, 1 << 14),
    () => frame(FrameType.headers, flags, id, noise(random)),
    () => frame(FrameType.data, 0, id, message),
    () => frame(FrameType.data, END_STREAM, id, message),
    () => frame(FrameType.data, flags, id, noise(random)),
    () => resetFrame(id),
    () => frame(FrameType.windowUpdate, 0, pick(random, [0, id]), uint32(pick(random, [0, 1, WINDOW_MAX]))),
    () => frame(FrameType.continuation, flags, id, noise(random)),
    () => frame(FrameType.settings, flags, id, noise(random)),
    () =>
      frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(pick(random, [0, 1, WINDOW_MAX]))])),
    () => frame(FrameType.ping, flags, 0, Buffer.alloc(8)),
    () => frame(FrameType.priority, 0, id, Buffer.alloc(pick(random, [4, 5]))),
    () => frame(FrameType.pushPromise, END_HEADERS, id, noise(random)),
    () => frame(FrameType.goAway, 0, 0, Buffer.alloc(8)),
    () => frame(random() % BYTE, random() % BYTE, id, noise(random)),
    () => PREFACE,
  ];
  return pick(random, makers)();
}

function* manyHeaders(fields: Readonly<Record<string, string>>): Generator<readonly [string, string]> {
  yield* Object.entries(fields);
  for (let index = 0; index < MANY_HEADERS; index++) yield ["a", "b"];
}

function foreign(random: Random): Buffer[] {
  const proxied = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
  const beginnings = [proxied, PROXY_V2, TLS_HELLO, Buffer.from("SSH-2.0-x\r\n"), PREFACE.subarray(0, random() % 24)];
  return [pick(random, beginnings), noise(random)];
}

/** Bytes changed, taken away, put in or said twice. */
function damage(bytes: Buffer, random: Random): Buffer {
  let damaged = bytes;
  for (let count = 1 + (random() % 4); count > 0 && damaged.length > 0; count--) {
    const at = random() % damaged.length;
    const before = damaged.subarray(0, at);
    const after = damaged.subarray(at);
    damaged = pick<() => Buffer>(random, [
      () => before,
      () => Buffer.concat([before, Buffer.from([random() % BYTE]), after.subarray(1)]),
      () => Buffer.concat([before, noise(random), after]),
      () => Buffer.concat([before, after.subarray(random() % 20)]),
      () => Buffer.concat([before, after, after]),
    ])();
  }
  return damaged;
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random() % LARGEST_NOISE }, () => random() % BYTE));
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random() % choices.length] as T;
}
