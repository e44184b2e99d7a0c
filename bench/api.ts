/** Single calls of the service: they make the keys and tokens that the load uses, and show that answers are the right ones. */
import type { JsonObject } from "@bufbuild/protobuf";
import { ApiKeysService, TokenAlgorithm } from "../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { type Call, callOverGrpc, callOverRest, createCall } from "./call.js";
import type { Service } from "./service.js";

const { adminIssueApiKey, adminVerifyApiKey, adminDeriveToken } = ApiKeysService.method;

export type TokenKind = "jwt" | "macaroon";
export type VerifyCall = Call<typeof adminVerifyApiKey.output>;
export type DeriveCall = Call<typeof adminDeriveToken.output>;

/** Where a credential is verified over REST. */
export const VERIFY_ROUTE = createCall(adminVerifyApiKey, {}).route;

const ALGORITHMS: Readonly<Record<TokenKind, TokenAlgorithm>> = {
  jwt: TokenAlgorithm.JWT,
  macaroon: TokenAlgorithm.MACAROON,
};

/** What a customer's key has. */
export const KEY_ATTRIBUTES = {
  name: "bench",
  actor_id: "user-48151623",
  scopes: ["orders.read", "orders.write"],
  metadata: { plan: "pro" },
};

export async function issueKey(service: Service): Promise<string> {
  const { actor_id: actorId, name, scopes, metadata } = KEY_ATTRIBUTES;
  const answer = await callOverRest(service, createCall(adminIssueApiKey, { name, actorId, scopes, metadata }));
  return JSON.parse(answer).secret;
}

export function issueKeys(service: Service, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => issueKey(service)));
}

/** A token of the key, with the default lifetime. */
export async function deriveToken(service: Service, credential: string, kind: TokenKind): Promise<string> {
  const { token }: { token: JsonObject } = JSON.parse(await callOverRest(service, deriveCall(credential, kind)));
  if (typeof token.token !== "string") throw new Error("an answer has no token");
  return token.token;
}

export function deriveCall(credential: string, kind: TokenKind): DeriveCall {
  return createCall(adminDeriveToken, { credential, algorithm: ALGORITHMS[kind] });
}

export function verifyCall(credential: string): VerifyCall {
  return createCall(adminVerifyApiKey, { credential });
}

/** The body of the answer. Throws unless the credential is good. */
export async function verifyOverRest(service: Service, body: string): Promise<string> {
  const answer = await callOverRest(service, { route: VERIFY_ROUTE, body });
  if (JSON.parse(answer).is_valid !== true) throw new Error(`verify answered ${answer}`);
  return answer;
}

/** The frame of the answer. Throws unless the credential is good. */
export async function verifyOverGrpc(service: Service, call: VerifyCall): Promise<Buffer> {
  const { frame, message } = await callOverGrpc(service, call);
  if (!message.isValid) throw new Error(`verify over gRPC answered ${message.errorMessage}`);
  return frame;
}
