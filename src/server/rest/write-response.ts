import type { Response } from "../lane.js";
import type { Call } from "../pipeline.js";

const HEADERS = {
  "content-type": "application/json",
  "x-content-type-options": "nosniff",
};

/** Writes a whole JSON answer. */
export function writeJson(response: Response, status: number, json: string, call: Call): void {
  if (response.destroyed || response.headersSent) return; // the client is gone
  response.writeHead(status, { ...HEADERS, ...call.commonHeaders, "content-length": Buffer.byteLength(json) });
  response.end(json);
}
