import { ServiceError } from "../errors.js";

/** In front of a message: a byte of flags and four of length, big-endian (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
export const ENVELOPE_PREFIX_BYTES = 5;
const LENGTH_OFFSET = 1;
const COMPRESSED_FLAG = 1;

/**
 * The one message in the body of a unary gRPC or gRPC-Web call, as it was sent. `encoding` is the header. Throws
 * INVALID_ARGUMENT for a body that ends too early, PAYLOAD_TOO_LARGE for a length of more than `maxBytes`, UNIMPLEMENTED, as
 * gRPC has it, for no message or several, and INTERNAL, likewise, for one that is compressed while no encoding was named.
 */
export function readEnvelope(body: Buffer, maxBytes: number, encoding: unknown): Buffer {
  if (body.length === 0) throw new ServiceError("UNIMPLEMENTED", "a unary call needs a message, and there is none");
  if (body.length < ENVELOPE_PREFIX_BYTES) throw incomplete();
  const length = body.readUInt32BE(LENGTH_OFFSET);
  if (length > maxBytes) {
    throw new ServiceError("PAYLOAD_TOO_LARGE", `the message must be at most ${maxBytes} bytes`);
  }
  const end = ENVELOPE_PREFIX_BYTES + length;
  if (body.length < end) throw incomplete();
  if (body.length > end) throw new ServiceError("UNIMPLEMENTED", "a unary call takes one message, and there are more");
  const isCompressed = (body.readUInt8(0) & COMPRESSED_FLAG) === COMPRESSED_FLAG;
  if (isCompressed && (encoding === undefined || encoding === "identity")) {
    throw new ServiceError("INTERNAL", "the message is compressed, and grpc-encoding does not say how");
  }
  return body.subarray(ENVELOPE_PREFIX_BYTES);
}

/** A message that is not compressed, behind its prefix. */
export function writeEnvelope(data: Uint8Array): Buffer {
  const envelope = Buffer.allocUnsafe(ENVELOPE_PREFIX_BYTES + data.length);
  envelope[0] = 0;
  envelope.writeUInt32BE(data.length, LENGTH_OFFSET);
  envelope.set(data, ENVELOPE_PREFIX_BYTES);
  return envelope;
}

function incomplete(): ServiceError {
  return new ServiceError("INVALID_ARGUMENT", "the body ends before its message does");
}
