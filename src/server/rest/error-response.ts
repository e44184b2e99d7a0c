import type { ServiceError } from "../../errors.js";
import { httpStatus, jsonFromServiceError } from "../error-map.js";
import type { Response } from "../lane.js";
import type { Call } from "../pipeline.js";
import { writeJson } from "./write-response.js";

/** What an error's metadata says of when to try again (RFC 9110 section 10.2.3). */
const RETRY_AFTER_SECONDS = "retry_after_seconds";

/** Answers an error in the envelope of AIP-193. */
export function writeError(response: Response, error: ServiceError, call: Call): void {
  if (error.reason === "UNAUTHENTICATED") response.setHeader("www-authenticate", "Bearer");
  const retryAfter = error.metadata[RETRY_AFTER_SECONDS];
  if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
  writeJson(response, httpStatus(error.reason), JSON.stringify(jsonFromServiceError(error)), call);
}
