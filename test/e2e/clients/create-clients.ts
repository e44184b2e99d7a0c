import type { ApiClient } from "./api-client.js";
import { createConnectNodeClient } from "./connect-node-client.js";
import { createGrpcJsClient } from "./grpc-js-client.js";
import { createFetchRestClient, createHttp2RestClient } from "./rest-client.js";

/** Every client, by the name that its tests go by. */
export const CLIENTS: Readonly<Record<string, (url: string) => ApiClient | Promise<ApiClient>>> = {
  "grpc-js": createGrpcJsClient,
  "connect-node gRPC": (url) => createConnectNodeClient("gRPC", "2", url),
  "connect-node gRPC-Web, HTTP/1.1": (url) => createConnectNodeClient("gRPC-Web", "1.1", url),
  "connect-node gRPC-Web, HTTP/2": (url) => createConnectNodeClient("gRPC-Web", "2", url),
  "connect-node Connect JSON, HTTP/1.1": (url) => createConnectNodeClient("Connect JSON", "1.1", url),
  "connect-node Connect binary, HTTP/2": (url) => createConnectNodeClient("Connect binary", "2", url),
  "REST by fetch, HTTP/1.1": createFetchRestClient,
  "REST by node:http2, HTTP/2": createHttp2RestClient,
};
