/** What connect says when it cannot decode a request, in the words and with the details of every other error. */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endStreamFromJson, errorFromJsonBytes, parseContentType } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { ServiceError } from "../../errors.js";
import { compileJsonDecoder } from "../../rest/json-decode.js";
import { ENVELOPE_PREFIX_BYTES } from "../envelope.js";
import { reasonOfCode } from "../error-map.js";
import { undecodable } from "../rpc-method.js";
import { protocolOf } from "./protocol.js";
import type { WholeResponse } from "./write-response.js";

/** How connect begins what it says of framing. What else it says may quote the request. */
const PROTOCOL_ERROR = "protocol error";
/** How it begins what it says of a binary message, with the code INTERNAL. */
const NOT_DECODED = "parse binary: ";

/** The error of a call for which connect did not get as far as the handler. `json`: its body, when that is plain JSON. */
export function explainRefusal(
  answered: WholeResponse,
  input: DescMessage,
  contentType: string | undefined,
  json: Uint8Array | undefined,
): ServiceError {
  const error = errorFromResponse(answered, contentType);
  if (error === undefined)
    return new ServiceError("UNSUPPORTED_MEDIA_TYPE", "the encoding of the message is not known");
  return explainError(error, input, json);
}

/** What connect throws for a message that it cannot take. */
export function explainError(error: ConnectError, input: DescMessage, json?: Uint8Array): ServiceError {
  if (error.rawMessage.startsWith(NOT_DECODED)) return undecodable(input);
  const reason = reasonOfCode(error.code);
  if (reason !== "INVALID_ARGUMENT" || error.rawMessage.startsWith(PROTOCOL_ERROR)) {
    return new ServiceError(reason, error.rawMessage);
  }
  const mistake = json && findJsonMistake(input, json);
  return mistake ?? undecodable(input);
}

function errorFromResponse(response: WholeResponse, contentType: string | undefined): ConnectError | undefined {
  switch (protocolOf(contentType)) {
    case "grpc":
      return findTrailerError(response.trailer ?? new Headers());
    case "grpc-web":
      return findTrailerError(trailerParse(response.body.subarray(ENVELOPE_PREFIX_BYTES)));
    default:
      if (response.body.length === 0) return undefined;
      if (parseContentType(contentType ?? null)?.stream)
        return endStreamFromJson(response.body.subarray(ENVELOPE_PREFIX_BYTES)).error;
      return errorFromJsonBytes(response.body, undefined, new ConnectError("the request was refused", Code.Unknown));
  }
}

type JsonDecoder = ReturnType<typeof compileJsonDecoder>;

/** Compiled when the first mistake in such a message is to be explained. */
const decoders = new Map<DescMessage, JsonDecoder>();

/** Reads the body again, with the decoder that names the field. `undefined`: it takes what plain ProtoJSON does not. */
function findJsonMistake(input: DescMessage, body: Uint8Array): ServiceError | undefined {
  const decode = decoders.get(input) ?? compileJsonDecoder(input);
  decoders.set(input, decode);
  try {
    decode(JSON.parse(new TextDecoder().decode(body)));
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    return new ServiceError("INVALID_ARGUMENT", "the body is not valid JSON"); // JSON.parse says it with a quotation
  }
}
