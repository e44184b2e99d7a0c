/** The clients of connect-node: gRPC, gRPC-Web and Connect, over either HTTP version. */
import { Agent } from "node:http";
import { type DescMessage, type DescMethodUnary, fromJson, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { ApiKeysService } from "../../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { type ApiClient, bearer, type CallOptions, type JsonObject, type Rpc } from "./api-client.js";
import { readDetails, readMetadata } from "./error-details.js";

type Protocol = "gRPC" | "gRPC-Web" | "Connect JSON" | "Connect binary";
type HttpVersion = "1.1" | "2";

export function createConnectNodeClient(protocol: Protocol, httpVersion: HttpVersion, baseUrl: string): ApiClient {
  const agent = new Agent({ keepAlive: true });
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createTransport(protocol, httpVersion, { baseUrl, agent, sessionManager });
  return {
    call: (rpc, request, options) => call(transport, rpc, request, options),
    close: () => {
      agent.destroy();
      sessionManager.abort();
    },
  };
}

interface Connections {
  readonly baseUrl: string;
  readonly agent: Agent;
  readonly sessionManager: Http2SessionManager;
}

function createTransport(protocol: Protocol, httpVersion: HttpVersion, connections: Connections): Transport {
  const { baseUrl, agent, sessionManager } = connections;
  const http =
    httpVersion === "2"
      ? ({ httpVersion, sessionManager } as const)
      : ({ httpVersion, nodeOptions: { agent } } as const);
  switch (protocol) {
    case "gRPC":
      return createGrpcTransport({ baseUrl, sessionManager });
    case "gRPC-Web":
      return createGrpcWebTransport({ baseUrl, ...http });
    default:
      return createConnectTransport({ baseUrl, ...http, useBinaryFormat: protocol === "Connect binary" });
  }
}

async function call(transport: Transport, rpc: Rpc, request: JsonObject, { token, headers }: CallOptions = {}) {
  const method = ApiKeysService.methods.find(({ name }) => name === rpc);
  if (method?.methodKind !== "unary") throw new Error(`${rpc} is no unary method`);
  try {
    const answered = await transport.unary(
      method as DescMethodUnary<DescMessage, DescMessage>,
      undefined,
      undefined,
      { ...bearer(token), ...headers },
      fromJson(method.input, withCamelCaseMask(request)),
    );
    const options = { useProtoFieldName: true, alwaysEmitImplicit: true };
    return {
      ok: true,
      response: toJson(method.output, answered.message, options) as JsonObject,
      headers: new Headers([...answered.header, ...answered.trailer]),
    } as const;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const details = error.details.flatMap((detail) => ("type" in detail ? [detail] : []));
    return {
      ok: false,
      code: codeName(error.code),
      message: error.rawMessage,
      ...readDetails(details),
      metadata: readMetadata(details),
      headers: error.metadata,
    } as const;
  }
}

/** ProtoJSON writes the paths of a mask in lowerCamelCase. */
function withCamelCaseMask(request: JsonObject): JsonObject {
  const { update_mask: mask } = request;
  if (typeof mask !== "string") return request;
  return { ...request, update_mask: mask.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) };
}

/** `NotFound` as `NOT_FOUND`; gRPC spells CANCELLED with two Ls. */
function codeName(code: Code): string {
  const name = Code[code].replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();
  return name === "CANCELED" ? "CANCELLED" : name;
}
