/** gRPC and gRPC-Web by hand: for requests that no client would send. */
import { connect } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import type { RefusalFacts } from "./api.js";
import { readDetails } from "./clients/error-details.js";

const ENVELOPE_PREFIX_BYTES = 5;
const TRAILER_FLAG = 0x80;

/** Codes of gRPC by number (https://grpc.io/docs/guides/status-codes). */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

export interface GrpcReply extends RefusalFacts {
  readonly httpStatus: number;
  readonly messages: readonly Buffer[];
}

/** A message with its prefix: compressed or not, and the length it says it has. */
export function envelope(message: Uint8Array, flags = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(ENVELOPE_PREFIX_BYTES);
  prefix.writeUInt8(flags, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Sends `body` as the whole request. */
export function callGrpc(
  url: string,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<GrpcReply> {
  const session = connect(url);
  return new Promise<GrpcReply>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const chunks: Buffer[] = [];
    const fields = new Headers();
    let httpStatus = 0;
    const take = (received: object) => {
      for (const [name, value] of Object.entries(received)) {
        if (name === ":status") httpStatus = Number(value);
        else if (!name.startsWith(":")) fields.set(name, String(value));
      }
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () =>
      resolve({ httpStatus, ...readStatus(fields), messages: readMessages(Buffer.concat(chunks)) }),
    );
    stream.end(body);
  }).finally(() => session.destroy());
}

/** The status of a gRPC-Web answer, which is its last envelope. */
export function readGrpcWebStatus(body: Uint8Array): RefusalFacts {
  for (let rest = Buffer.from(body); rest.length >= ENVELOPE_PREFIX_BYTES; ) {
    const end = ENVELOPE_PREFIX_BYTES + rest.readUInt32BE(1);
    if (rest.readUInt8(0) & TRAILER_FLAG) {
      const lines = rest.toString("latin1", ENVELOPE_PREFIX_BYTES, end).trim().split("\r\n");
      return readStatus(
        new Headers(
          lines.map((line): [string, string] => [
            line.slice(0, line.indexOf(":")),
            line.slice(line.indexOf(":") + 1).trim(),
          ]),
        ),
      );
    }
    rest = rest.subarray(end);
  }
  throw new Error("an answer without trailers");
}

function readStatus(fields: Headers): RefusalFacts {
  const code = CODES[Number(fields.get("grpc-status") ?? Number.NaN)] ?? "none";
  const message = decodeURIComponent(fields.get("grpc-message") ?? "");
  const bytes = fields.get("grpc-status-details-bin");
  const details = bytes === null ? [] : fromBinary(StatusSchema, Buffer.from(bytes, "base64")).details;
  const facts = readDetails(details.map(({ typeUrl, value }) => ({ type: typeUrl.replace(/^.*\//, ""), value })));
  return { code, message, ...facts };
}

function readMessages(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let rest = body; rest.length >= ENVELOPE_PREFIX_BYTES; ) {
    const end = ENVELOPE_PREFIX_BYTES + rest.readUInt32BE(1);
    messages.push(rest.subarray(ENVELOPE_PREFIX_BYTES, end));
    rest = rest.subarray(end);
  }
  return messages;
}
