/** One call, as either protocol carries it: made from the descriptors, so that both ask the same. */
import { connect, constants } from "node:http2";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  getOption,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { http } from "../gen/google/api/annotations_pb.js";
import type { Service } from "./service.js";

const FRAME_HEAD_BYTES = 5;
const CALL_TIMEOUT_MS = 10_000;

export interface Call<O extends DescMessage> {
  /** Path of the method over gRPC. */
  readonly rpc: string;
  /** Path of the method over REST; it is a POST. */
  readonly route: string;
  /** The request over gRPC: one frame. */
  readonly frame: Buffer;
  /** The request over REST: JSON. */
  readonly body: string;
  readonly answer: O;
}

/** As a gRPC client sends them; the same to every server. */
export const GRPC_HEADERS = { "content-type": "application/grpc", te: "trailers", "user-agent": "grpc-bench" };

export function createCall<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  init: MessageInitShape<I>,
): Call<O> {
  const { pattern } = getOption(method, http);
  if (pattern.case !== "post") throw new Error(`${method.name} is no POST over REST`);
  const request = create(method.input, init);
  return {
    rpc: `/${method.parent.typeName}/${method.name}`,
    route: pattern.value,
    frame: frameOf(toBinary(method.input, request)),
    body: toJsonString(method.input, request, { useProtoFieldName: true }),
    answer: method.output,
  };
}

/** The body of the answer. Throws unless it is a success. */
export async function callOverRest(
  { url, authorization }: Service,
  { route, body }: Pick<Call<DescMessage>, "route" | "body">,
): Promise<string> {
  const answer = await fetch(`${url}${route}`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${route} answered ${answer.status}: ${text}`);
  return text;
}

/** The answer, and the frame that it came in. Throws unless it is a success. */
export async function callOverGrpc<O extends DescMessage>(
  service: Service,
  { rpc, frame, answer }: Pick<Call<O>, "rpc" | "frame" | "answer">,
): Promise<{ readonly frame: Buffer; readonly message: MessageShape<O> }> {
  const answered = await exchangeFrames(service, rpc, frame);
  return { frame: answered, message: fromBinary(answer, answered.subarray(FRAME_HEAD_BYTES)) };
}

function exchangeFrames({ url, authorization }: Service, rpc: string, frame: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    const parts: Buffer[] = [];
    let status: unknown;
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: rpc,
      authorization,
      ...GRPC_HEADERS,
    });
    stream.setTimeout(CALL_TIMEOUT_MS, () => stream.destroy(new Error(`${rpc} did not answer`)));
    stream.on("response", (headers) => {
      status = headers["grpc-status"];
    });
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"];
    });
    stream.on("data", (part: Buffer) => parts.push(part));
    for (const emitter of [session, stream]) emitter.on("error", reject);
    stream.on("close", () => {
      session.close();
      const answer = Buffer.concat(parts);
      if (status === "0" && answer.length >= FRAME_HEAD_BYTES) resolve(answer);
      else reject(new Error(`${rpc} answered grpc-status ${status}, ${answer.length} bytes`));
    });
    stream.end(frame);
  });
}

function frameOf(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
