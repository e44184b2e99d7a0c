import type { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
  parseContentType as parseConnectContentType,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import type { ServiceError } from "../../errors.js";
import { connectErrorFromServiceError, httpStatus } from "../error-map.js";
import { protocolOf } from "./protocol.js";
import type { WholeResponse } from "./write-response.js";

const HTTP_OK = 200;
const GRPC_MESSAGE = "grpc-message";

/** An error as the answer to a request with this content type (none: a Connect GET). */
export function errorResponse(error: ServiceError, contentType: string | undefined): WholeResponse {
  const connectError = connectErrorFromServiceError(error);
  const header = new Headers({ "content-type": contentType ?? contentTypeUnaryJson });
  switch (protocolOf(contentType)) {
    case "grpc":
      return { status: HTTP_OK, header, body: new Uint8Array(), trailer: grpcTrailer(connectError) };
    case "grpc-web":
      return {
        status: HTTP_OK,
        header,
        body: encodeEnvelope(trailerFlag, trailerSerialize(grpcTrailer(connectError))),
      };
    case "connect": {
      if (parseConnectContentType(contentType ?? null)?.stream) {
        const end = JSON.stringify(endStreamToJson(new Headers(), connectError, undefined));
        return { status: HTTP_OK, header, body: encodeEnvelope(endStreamFlag, new TextEncoder().encode(end)) };
      }
      return unaryJson(error, connectError);
    }
    default:
      return unaryJson(error, connectError); // a Connect GET, or a content type of no protocol
  }
}

/** The protocol fixes the status of each code, but for a request that HTTP itself refuses. */
function unaryJson({ reason }: ServiceError, error: ConnectError): WholeResponse {
  const isRefusedByHttp = reason === "UNSUPPORTED_MEDIA_TYPE" || reason === "METHOD_NOT_ALLOWED";
  const status = isRefusedByHttp ? httpStatus(reason) : codeToHttpStatus(error.code);
  const header = new Headers({ "content-type": contentTypeUnaryJson });
  return { status, header, body: errorToJsonBytes(error, undefined) };
}

function grpcTrailer(error: ConnectError): Headers {
  const trailer = setTrailerStatus(new Headers(), error);
  trailer.set(GRPC_MESSAGE, encodeGrpcMessage(error.rawMessage));
  return trailer;
}

/**
 * Percent-encodes what is not printable ASCII, and `%`, as gRPC asks (PROTOCOL-HTTP2.md, "Percent-Encoded"). connect encodes
 * as for a URI, which grpc-js does not undo for commas, colons and the like: its users would read "name%3A is required".
 */
function encodeGrpcMessage(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
}
