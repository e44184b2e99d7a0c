import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { ServiceError } from "../errors.js";
import { connectErrorFromServiceError } from "./error-map.js";

const GRPC_MESSAGE = "grpc-message";

/** What ends a gRPC or gRPC-Web call that fails: grpc-status, grpc-message and google.rpc.Status, added to `trailer`. */
export function setErrorTrailers(trailer: Headers, error: ServiceError): Headers {
  const connectError = connectErrorFromServiceError(error);
  setTrailerStatus(trailer, connectError);
  trailer.set(GRPC_MESSAGE, encodeGrpcMessage(connectError.rawMessage));
  return trailer;
}

/**
 * Percent-encodes what is not printable ASCII, and `%`, as gRPC asks (PROTOCOL-HTTP2.md, "Percent-Encoded"). connect encodes
 * as for a URI, which grpc-js does not undo for commas, colons and the like: its users would read "name%3A is required".
 */
function encodeGrpcMessage(text: string): string {
  const wellFormed = (text as string & { toWellFormed(): string }).toWellFormed(); // of Node 20; ES2023's types lack it
  return wellFormed.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
}
