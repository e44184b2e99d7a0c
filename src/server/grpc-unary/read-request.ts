import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { ENVELOPE_PREFIX_BYTES, readEnvelope } from "../envelope.js";
import type { Call } from "../pipeline.js";
import { readBody } from "../read-body.js";
import { type RpcMethod, undecodable } from "../rpc-method.js";

/** Reads the one message of a unary call. */
export async function readMessage(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { desc, maxRequestBytes: maxBytes }: RpcMethod,
  call: Call,
): Promise<Message> {
  const contentLength = headers["content-length"];
  const limits = { maxBytes, framingBytes: ENVELOPE_PREFIX_BYTES, contentLength, cancellation: call.cancellation };
  const body = await readBody(stream, limits);
  return decode(desc.input, readEnvelope(body, maxBytes, headers["grpc-encoding"]));
}

function decode(input: DescMessage, data: Uint8Array): Message {
  try {
    return fromBinary(input, data);
  } catch {
    throw undecodable(input); // what protobuf says of it may quote the message
  }
}
