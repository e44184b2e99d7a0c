import { ServiceError } from "../../errors.js";
import type { Request } from "../lane.js";

/** JSON is UTF-8 (RFC 8259 section 8.1); saying so is allowed, anything else is not. */
const JSON_TYPE = /^application\/json *(?:; *charset *= *"?utf-8"? *)?$/i;

/** Throws UNSUPPORTED_MEDIA_TYPE for a body that says it is something else than plain JSON. */
export function refuseUnlessJson(request: Request): void {
  const { "content-type": type, "content-encoding": encoding } = request.headers;
  if (type !== undefined && !JSON_TYPE.test(type)) {
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", "the content type must be application/json");
  }
  if (encoding !== undefined && encoding !== "identity") {
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", "the content encoding must be identity");
  }
}

/**
 * Reads a request's body whole; `undefined` when it is empty. Throws PAYLOAD_TOO_LARGE as soon as there is more than
 * `maxBytes`, and CANCELLED when the client goes away before the end.
 */
export function readBody(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return reject(tooLarge(maxBytes));
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (outcome: () => void) => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      outcome();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) settle(() => reject(tooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(() => resolve(bytes === 0 ? undefined : Buffer.concat(chunks)));
    const onClose = () => settle(() => reject(new ServiceError("CANCELLED", "the client went away")));
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

function tooLarge(maxBytes: number): ServiceError {
  return new ServiceError("PAYLOAD_TOO_LARGE", `the body must be at most ${maxBytes} bytes`);
}
