import type { Readable } from "node:stream";
import { ServiceError } from "../errors.js";
import type { Cancellation } from "./cancellation.js";

export interface BodyLimits {
  /** Of the message, in bytes. */
  readonly maxBytes: number;
  /** Bytes that the protocol puts around it. */
  readonly framingBytes: number;
  /** The header, when there is one. */
  readonly contentLength: string | undefined;
  /** Ends the reading, with its reason. */
  readonly cancellation: Cancellation;
}

/**
 * Reads a request's body whole. Throws PAYLOAD_TOO_LARGE as soon as it is too long, what
 * `cancellation` says, which includes that the client went away.
 */
export function readBody(request: Readable, limits: BodyLimits): Promise<Buffer> {
  const { maxBytes, framingBytes, contentLength, cancellation } = limits;
  const isTooLong = (bytes: number) => bytes > maxBytes + framingBytes;
  return new Promise((resolve, reject) => {
    if (isTooLong(Number(contentLength ?? 0))) return reject(tooLarge(maxBytes));
    if (cancellation.reason !== undefined) return reject(cancellation.reason);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (reason: ServiceError) => {
      request.off("data", onData);
      cancellation.remove(fail);
      reject(reason);
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (isTooLong(bytes)) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    cancellation.add(fail);
    request.on("data", onData);
    request.on("end", () => {
      cancellation.remove(fail);
      resolve(join(chunks));
    });
  });
}

function join(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): ServiceError {
  return new ServiceError("PAYLOAD_TOO_LARGE", `the body must be at most ${maxBytes} bytes`);
}
