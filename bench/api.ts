/** Single calls of the service: they make the keys that the load uses, and show that answers are the right ones. */
import { connect, constants } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AdminVerifyApiKeyRequestSchema,
  AdminVerifyApiKeyResponseSchema,
} from "../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { Service } from "./service.js";

export const VERIFY_RPC = "/latchkey.v2alpha1.ApiKeysService/AdminVerifyApiKey";
export const VERIFY_ROUTE = "/v2alpha1/admin/apiKeys:verify";

const FRAME_HEAD_BYTES = 5;
const CALL_TIMEOUT_MS = 10_000;

/** What a customer's key has. */
export const KEY_ATTRIBUTES = {
  name: "bench",
  actor_id: "user-48151623",
  scopes: ["orders.read", "orders.write"],
  metadata: { plan: "pro" },
};

export async function issueKey(service: Service): Promise<string> {
  const { status, body } = await postJson(service, "/v2alpha1/admin/issuedApiKeys", JSON.stringify(KEY_ATTRIBUTES));
  if (status !== 201) throw new Error(`issuing a key answered ${status}: ${body}`);
  return JSON.parse(body).secret;
}

export function verifyFrame(credential: string): Buffer {
  const message = toBinary(AdminVerifyApiKeyRequestSchema, create(AdminVerifyApiKeyRequestSchema, { credential }));
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The body of the answer. Throws unless the credential is good. */
export async function verifyOverRest(service: Service, requestBody: string): Promise<string> {
  const { status, body } = await postJson(service, VERIFY_ROUTE, requestBody);
  if (status !== 200 || JSON.parse(body).is_valid !== true) throw new Error(`verify answered ${status}: ${body}`);
  return body;
}

/** The frame of the answer. Throws unless the credential is good. */
export function verifyOverGrpc({ url, authorization }: Service, frame: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    const parts: Buffer[] = [];
    let status: unknown;
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: VERIFY_RPC,
      authorization,
      ...GRPC_HEADERS,
    });
    stream.setTimeout(CALL_TIMEOUT_MS, () => stream.destroy(new Error("verify over gRPC did not answer")));
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
      if (status === "0" && isValid(answer)) resolve(answer);
      else reject(new Error(`verify over gRPC answered grpc-status ${status}, ${answer.length} bytes`));
    });
    stream.end(frame);
  });
}

/** As a gRPC client sends them; the same to every server. */
export const GRPC_HEADERS = { "content-type": "application/grpc", te: "trailers", "user-agent": "grpc-bench" };

function isValid(frame: Buffer): boolean {
  if (frame.length < FRAME_HEAD_BYTES) return false;
  return fromBinary(AdminVerifyApiKeyResponseSchema, frame.subarray(FRAME_HEAD_BYTES)).isValid;
}

async function postJson({ url, authorization }: Service, path: string, body: string) {
  const headers = { authorization, "content-type": "application/json" };
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers,
    body,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  return { status: answer.status, body: await answer.text() };
}
