import type { Response } from "../lane.js";

/** Answers hold keys and, after issue and rotate, their secrets: nothing on the way may keep them. */
const HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** Writes a whole JSON answer. */
export function writeJson(response: Response, status: number, json: string): void {
  if (response.destroyed || response.headersSent) return; // the client is gone
  response.writeHead(status, { ...HEADERS, "content-length": Buffer.byteLength(json) });
  response.end(json);
}
