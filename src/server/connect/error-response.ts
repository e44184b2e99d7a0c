/** An error as each protocol of this lane writes it, and back: for what is refused outside connect's own handlers. */
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  endStreamFlag,
  endStreamToJson,
  errorFromJsonBytes,
  errorToJsonBytes,
  parseContentType as parseConnectContentType,
} from "@connectrpc/connect/protocol-connect";
import {
  findTrailerError,
  parseContentType as parseGrpcContentType,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import {
  parseContentType as parseGrpcWebContentType,
  trailerFlag,
  trailerParse,
  trailerSerialize,
} from "@connectrpc/connect/protocol-grpc-web";
import { ServiceError } from "../../errors.js";
import { connectErrorFromServiceError, reasonOfCode } from "../error-map.js";
import type { Call, Protocol } from "../pipeline.js";

const HTTP_OK = 200;
/** One byte of flags and four of length stand in front of every enveloped message. */
const ENVELOPE_PREFIX_BYTES = 5;

/** A response whose body is known whole. */
export interface WholeResponse extends Omit<UniversalServerResponse, "body"> {
  readonly body: Uint8Array;
}

/** The protocol that a content type stands for; `undefined` for a type that no protocol of this lane has. */
export function protocolOf(contentType: string | undefined): Exclude<Protocol, "rest"> | undefined {
  const type = contentType ?? null;
  if (parseGrpcContentType(type)) return "grpc";
  if (parseGrpcWebContentType(type)) return "grpc-web";
  if (parseConnectContentType(type)) return "connect";
  return undefined;
}

/** The answer to a request with this content type (none: a Connect GET) that fails with `error`. */
export function errorResponse(error: ConnectError, contentType: string | undefined): WholeResponse {
  const header = new Headers({ "content-type": contentType ?? contentTypeUnaryJson });
  switch (protocolOf(contentType)) {
    case "grpc":
      return { status: HTTP_OK, header, body: new Uint8Array(), trailer: setTrailerStatus(new Headers(), error) };
    case "grpc-web": {
      const trailer = trailerSerialize(setTrailerStatus(new Headers(), error));
      return { status: HTTP_OK, header, body: encodeEnvelope(trailerFlag, trailer) };
    }
    default: {
      if (parseConnectContentType(contentType ?? null)?.stream) {
        const end = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
        return { status: HTTP_OK, header, body: encodeEnvelope(endStreamFlag, new TextEncoder().encode(end)) };
      }
      header.set("content-type", contentTypeUnaryJson);
      return { status: codeToHttpStatus(error.code), header, body: errorToJsonBytes(error, undefined) };
    }
  }
}

/**
 * A unary response for which connect did not get as far as the handler: the message could not be read. Its error gets
 * the details that every error has, and the call is told.
 */
export function explainRefusal(response: WholeResponse, contentType: string | undefined, call: Call): WholeResponse {
  const error = errorFromResponse(response, contentType);
  if (error === undefined) return response;
  const refusal = call.fail(new ServiceError(reasonOfCode(error.code), error.rawMessage));
  return errorResponse(connectErrorFromServiceError(refusal, error.code), contentType);
}

/** The error in a unary response that connect made; `undefined` when it holds none. */
function errorFromResponse(response: WholeResponse, contentType: string | undefined): ConnectError | undefined {
  switch (protocolOf(contentType)) {
    case "grpc":
      return findTrailerError(response.trailer ?? new Headers());
    case "grpc-web":
      return findTrailerError(trailerParse(response.body.subarray(ENVELOPE_PREFIX_BYTES)));
    default: {
      if (response.status === HTTP_OK) return undefined;
      const unreadable = new ConnectError("the request was refused", Code.Unknown);
      if (response.header?.get("content-type") !== contentTypeUnaryJson) return undefined;
      return errorFromJsonBytes(response.body, undefined, unreadable);
    }
  }
}
