import { parseContentType as parseConnectContentType } from "@connectrpc/connect/protocol-connect";
import { parseContentType as parseGrpcContentType } from "@connectrpc/connect/protocol-grpc";
import { parseContentType as parseGrpcWebContentType } from "@connectrpc/connect/protocol-grpc-web";
import type { Protocol } from "../pipeline.js";

/** The protocol that a content type stands for; `undefined` for a type that no protocol of this lane has. */
export function protocolOf(contentType: string | undefined): Exclude<Protocol, "rest"> | undefined {
  const type = contentType ?? null;
  if (parseGrpcContentType(type)) return "grpc";
  if (parseGrpcWebContentType(type)) return "grpc-web";
  if (parseConnectContentType(type)) return "connect";
  return undefined;
}
