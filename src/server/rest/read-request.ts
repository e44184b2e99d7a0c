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
