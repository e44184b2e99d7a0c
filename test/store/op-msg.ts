/**
 * As much of MongoDB's messages as the fault proxy looks at. Numbers are little-endian; a header of 16 bytes (length of the
 * whole, request id, request id that it answers, kind) comes first. The driver's first `hello` on a connection is an OP_QUERY.
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
import { BSON, type Document } from "mongodb";

const HEADER_BYTES = 16;
const REQUEST_ID_OFFSET = 4;
const RESPONSE_TO_OFFSET = 8;
const KIND_OFFSET = 12;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

/** Flags, cursor id and starting position. A count of documents follows. */
const OP_REPLY_FIELDS_BYTES = 16;
const OP_MSG_FLAGS_BYTES = 4;
/** Of a section of an OP_MSG: one document, which is the command or the reply. The other kind is a list of documents. */
const BODY_SECTION = 0;

/** Types of numbers are kept, so that what is read can be written again. */
const READ_OPTIONS = { promoteValues: false, promoteLongs: false, promoteBuffers: false };

export interface WireMessage {
  readonly bytes: Buffer;
  readonly requestId: number;
  readonly responseTo: number;
}

/** Splits a stream into messages. */
export class MessageReader {
  #rest = Buffer.alloc(0);

  /** The messages that are complete with these bytes. */
  read(bytes: Buffer): WireMessage[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: WireMessage[] = [];
    while (this.#rest.length >= HEADER_BYTES && this.#rest.length >= this.#rest.readInt32LE()) {
      const message = this.#rest.subarray(0, this.#rest.readInt32LE());
      this.#rest = this.#rest.subarray(message.length);
      messages.push({
        bytes: message,
        requestId: message.readInt32LE(REQUEST_ID_OFFSET),
        responseTo: message.readInt32LE(RESPONSE_TO_OFFSET),
      });
    }
    return messages;
  }
}

/** The command or reply in a message, without lists of documents that may go with it. */
export function readDocument({ bytes }: WireMessage): Document {
  const start = documentStart(bytes);
  return BSON.deserialize(bytes.subarray(start, start + bytes.readInt32LE(start)), READ_OPTIONS);
}

function documentStart(bytes: Buffer): number {
  const kind = bytes.readInt32LE(KIND_OFFSET);
  if (kind === OP_REPLY) return HEADER_BYTES + OP_REPLY_FIELDS_BYTES + 4;
  // The flags, the name of a collection, and two counts.
  if (kind === OP_QUERY) return bytes.indexOf(0, HEADER_BYTES + 4) + 1 + 8;
  if (kind !== OP_MSG) throw new Error(`a message of kind ${kind}: only plain ones can be read`);
  let section = HEADER_BYTES + OP_MSG_FLAGS_BYTES;
  while (bytes[section] !== BODY_SECTION) section += 1 + bytes.readInt32LE(section + 1);
  return section + 1;
}

/** A reply as the request's kind wants it. */
export function writeReply(request: WireMessage, reply: Document): Buffer {
  const isQuery = request.bytes.readInt32LE(KIND_OFFSET) === OP_QUERY;
  const fields = isQuery
    ? Buffer.concat([Buffer.alloc(OP_REPLY_FIELDS_BYTES), int32(1)])
    : Buffer.concat([Buffer.alloc(OP_MSG_FLAGS_BYTES), Buffer.of(BODY_SECTION)]);
  const body = Buffer.concat([fields, BSON.serialize(reply)]);
  const header = [HEADER_BYTES + body.length, 0, request.requestId, isQuery ? OP_REPLY : OP_MSG];
  return Buffer.concat([...header.map(int32), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
