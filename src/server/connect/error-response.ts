import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
  parseContentType as parseConnectContentType,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { Reason, ServiceError } from "../../errors.js";
import { connectErrorFromServiceError, httpStatus, jsonFromServiceError } from "../error-map.js";
import { setErrorTrailers } from "../grpc-trailers.js";
import type { ResponseMetadata } from "../pipeline.js";
import { protocolOf } from "./protocol.js";
import type { WholeResponse } from "./write-response.js";

const HTTP_OK = 200;
const NO_BODY = new Uint8Array(0);
const GRPC_PROTO = "application/grpc+proto";
/** What HTTP itself refuses, before there is a call of any protocol. */
const REFUSED_BY_HTTP: ReadonlySet<Reason> = new Set<Reason>([
  "UNSUPPORTED_MEDIA_TYPE",
  "METHOD_NOT_ALLOWED",
  "ROUTE_NOT_FOUND",
]);

/** An error as the answer to a request with this content type (none: a Connect GET), with what its handler adds to it. */
export function errorResponse(
  error: ServiceError,
  contentType: string | undefined,
  metadata: ResponseMetadata | undefined,
): WholeResponse {
  const protocol = protocolOf(contentType);
  if (protocol !== "grpc" && protocol !== "grpc-web" && REFUSED_BY_HTTP.has(error.reason)) return envelope(error);
  const header = new Headers(metadata?.headers);
  // In full, as connect answers what succeeds.
  header.set("content-type", contentType === "application/grpc" ? GRPC_PROTO : (contentType ?? contentTypeUnaryJson));
  const trailer = new Headers(metadata?.trailers);
  switch (protocol) {
    case "grpc":
      // With nothing to say before it, the status takes the place of the headers ("Trailers-Only", PROTOCOL-HTTP2.md).
      if (metadata === undefined) return { status: HTTP_OK, header: setErrorTrailers(header, error), body: NO_BODY };
      return { status: HTTP_OK, header, body: NO_BODY, trailer: setErrorTrailers(trailer, error) };
    case "grpc-web":
      return {
        status: HTTP_OK,
        header,
        body: encodeEnvelope(trailerFlag, trailerSerialize(setErrorTrailers(trailer, error))),
      };
    case "connect": {
      if (parseConnectContentType(contentType ?? null)?.stream) {
        const end = JSON.stringify(endStreamToJson(trailer, connectErrorFromServiceError(error), undefined));
        return { status: HTTP_OK, header, body: encodeEnvelope(endStreamFlag, new TextEncoder().encode(end)) };
      }
      return unaryJson(error, trailerMux(header, trailer));
    }
    default:
      return unaryJson(error, trailerMux(header, trailer)); // a Connect GET
  }
}

/**
 * No protocol is agreed on, so the error has the form it has over REST. The content type is not quite that of a Connect error,
 * so that clients of Connect go by the status.
 */
function envelope(error: ServiceError): WholeResponse {
  const header = new Headers({ "content-type": `${contentTypeUnaryJson}; charset=utf-8` });
  const body = new TextEncoder().encode(JSON.stringify(jsonFromServiceError(error)));
  return { status: httpStatus(error.reason), header, body };
}

function unaryJson(refusal: ServiceError, header: Headers): WholeResponse {
  const error = connectErrorFromServiceError(refusal);
  header.set("content-type", contentTypeUnaryJson);
  return { status: codeToHttpStatus(error.code), header, body: errorToJsonBytes(error, undefined) };
}
