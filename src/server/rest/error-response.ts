import type { ServiceError } from "../../errors.js";
import { httpStatus, jsonFromServiceError } from "../error-map.js";
import type { Response } from "../lane.js";
import type { Call } from "../pipeline.js";
import { writeJson } from "./write-response.js";

/** Answers an error in the envelope of AIP-193. */
export function writeError(response: Response, error: ServiceError, call: Call): void {
  if (error.reason === "UNAUTHENTICATED") response.setHeader("www-authenticate", "Bearer");
  writeJson(response, httpStatus(error.reason), JSON.stringify(jsonFromServiceError(error)), call);
}
