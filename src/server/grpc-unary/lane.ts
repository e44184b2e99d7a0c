/**
 * Unary gRPC on the bare HTTP/2 stream, for what nearly every call is: a binary message that is not compressed. Whatever else
 * comes goes to the connect lane, and gets the same answers there; this one is fast because it does nothing twice.
 */
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Message, toBinary } from "@bufbuild/protobuf";
import { createEncoder } from "../encoder.js";
import { writeEnvelope } from "../envelope.js";
import { dropRestOfStream, type StreamLane } from "../lane.js";
import type { Call, Pipeline } from "../pipeline.js";
import type { RpcMethod, RpcService } from "../rpc-method.js";
import { writeError } from "./error-response.js";
import { readMessage } from "./read-request.js";
import { writeMessage } from "./write-response.js";

const CONTENT_TYPES: ReadonlySet<unknown> = new Set(["application/grpc", "application/grpc+proto"]);
const ENCODINGS: ReadonlySet<unknown> = new Set([undefined, "identity"]);

export interface GrpcUnaryLaneOptions {
  readonly services: readonly RpcService[];
  readonly pipeline: Pipeline;
}

interface Endpoint {
  readonly method: RpcMethod;
  /** To the message's envelope. */
  readonly encode: (message: Message) => Uint8Array;
}

/** Takes requests to the paths of unary methods that it can answer as the connect lane would. */
export function createGrpcUnaryLane({ services, pipeline }: GrpcUnaryLaneOptions): StreamLane {
  const methods = services.flatMap((service) => service.methods).filter(({ desc }) => desc.methodKind === "unary");
  const endpoints = new Map(methods.map((method) => [`/${method.name}`, createEndpoint(method)]));

  return {
    handle(stream, headers) {
      const endpoint = endpoints.get(headers[":path"] ?? "");
      if (endpoint === undefined || !isPlain(headers)) return false;
      const call = pipeline.open(endpoint.method, {
        protocol: "grpc",
        headers,
        peerAddress: peerAddressOf(stream),
      });
      stream.on("error", ignoreBroken);
      stream.on("close", () => call.close(stream.headersSent));
      answer(stream, headers, endpoint, call).catch((error) => {
        pipeline.logDefect(error);
        stream.destroy(error);
      });
      return true;
    },
  };
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { method, encode }: Endpoint,
  call: Call,
): Promise<void> {
  try {
    if (call.refusal !== undefined) throw call.refusal;
    const request = await readMessage(stream, headers, method, call);
    writeMessage(stream, encode(await call.run(request)), call);
  } catch (error) {
    writeError(stream, call.fail(error), call);
    dropRestOfStream(stream);
  }
}

/** A stream is broken by its client, at any time; "close" follows. */
function ignoreBroken(): void {}

const peerAddresses = new WeakMap<Http2Session, string | undefined>();

/** Of the stream's connection, which is asked once: Node answers through a proxy. */
function peerAddressOf({ session }: ServerHttp2Stream): string | undefined {
  if (session === undefined) return undefined;
  const known = peerAddresses.get(session);
  if (known !== undefined) return known;
  const address = session.socket.remoteAddress;
  peerAddresses.set(session, address);
  return address;
}

function createEndpoint(method: RpcMethod): Endpoint {
  const { output } = method.desc;
  return { method, encode: createEncoder((message) => writeEnvelope(toBinary(output, message))) };
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  return (
    headers[":method"] === "POST" &&
    CONTENT_TYPES.has(headers["content-type"]) &&
    ENCODINGS.has(headers["grpc-encoding"])
  );
}
