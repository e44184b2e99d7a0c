import { ServiceError } from "../errors.js";
import type { Request } from "./lane.js";

export interface BodyLimits {
  /** Of the message, in bytes. */
  readonly maxBytes: number;
  /** Bytes that the protocol puts around it. */
  readonly framingBytes: number;
  /** Ends the reading, with its reason. */
  readonly signal: AbortSignal;
}

/**
 * Reads a request's body whole; `undefined` when it is empty. Throws PAYLOAD_TOO_LARGE as soon as it is too long, what
 * `signal` was aborted with, and CANCELLED when the client goes away before the end.
 */
export function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array | undefined> {
  const { maxBytes, framingBytes, signal } = limits;
  const isTooLong = (bytes: number) => bytes > maxBytes + framingBytes;
  return new Promise((resolve, reject) => {
    if (isTooLong(Number(request.headers["content-length"] ?? 0))) return reject(tooLarge(maxBytes));
    if (signal.aborted) return reject(signal.reason);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: () => void) => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      signal.removeEventListener("abort", onAbort);
      outcome();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (isTooLong(bytes)) settle(() => reject(tooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(bytes === 0 ? undefined : Buffer.concat(chunks)));
    const onClose = () => settle(() => reject(new ServiceError("CANCELLED", "the client went away")));
    const onAbort = () => settle(() => reject(signal.reason));
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
    signal.addEventListener("abort", onAbort);
  });
}

function tooLarge(maxBytes: number): ServiceError {
  return new ServiceError("PAYLOAD_TOO_LARGE", `the body must be at most ${maxBytes} bytes`);
}
