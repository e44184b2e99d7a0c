import type { IncomingHttpHeaders } from "node:http";
import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import { invalidArgument, ServiceError } from "../errors.js";

const GRPC_TIMEOUT = "grpc-timeout";
const CONNECT_TIMEOUT = "connect-timeout-ms";

/** Whether a header asks for a deadline, in lower case. */
export function isDeadlineHeader(name: string): boolean {
  return name === GRPC_TIMEOUT || name === CONNECT_TIMEOUT;
}

/**
 * How long a call may take, in milliseconds: what its client asks for by `grpc-timeout` (gRPC, gRPC-Web and, as with
 * grpc-gateway, REST) or `connect-timeout-ms`, but at most `maxMs`. Throws INVALID_ARGUMENT, DEADLINE_EXCEEDED.
 */
export function requestDeadline(headers: IncomingHttpHeaders, maxMs: number): number {
  const askedMs = askedTimeoutMs(headers) ?? maxMs;
  if (askedMs <= 0) throw new ServiceError("DEADLINE_EXCEEDED", "the deadline passed before the call began");
  return Math.min(askedMs, maxMs);
}

/** What the client asks for, as it stands; the shorter one when it says both. Throws INVALID_ARGUMENT. */
export function askedTimeoutMs(headers: IncomingHttpHeaders): number | undefined {
  const grpc = parse(GRPC_TIMEOUT, headers[GRPC_TIMEOUT], parseGrpcTimeout);
  const connect = parse(CONNECT_TIMEOUT, headers[CONNECT_TIMEOUT], parseConnectTimeout);
  return grpc === undefined || connect === undefined ? (grpc ?? connect) : Math.min(grpc, connect);
}

function parse(name: string, value: string | string[] | undefined, parser: typeof parseGrpcTimeout) {
  if (value === undefined) return undefined;
  const { timeoutMs, error } = parser(String(value), Number.POSITIVE_INFINITY);
  if (error !== undefined) throw invalidArgument(name, "is not a valid timeout");
  return timeoutMs;
}
