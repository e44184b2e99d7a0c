import type { Response } from "../lane.js";
import type { Call } from "../pipeline.js";

const HEADERS = {
  "content-type": "application/json",
  "x-content-type-options": "nosniff",
};

const NOT_MODIFIED = 304;

/** Writes a whole JSON answer. */
export function writeJson(response: Response, status: number, json: string, call: Call): void {
  if (response.destroyed || response.headersSent) return; // the client is gone
  const length = { "content-length": Buffer.byteLength(json) };
  if (call.responseMetadata === undefined) {
    response.writeHead(status, { ...HEADERS, ...call.commonHeaders, ...length });
  } else {
    const set = Object.fromEntries(call.responseMetadata.headers);
    if (isKnown(set.etag, call.requestHeaders["if-none-match"])) {
      response.writeHead(NOT_MODIFIED, { ...call.commonHeaders, ...set }).end();
      return;
    }
    response.writeHead(status, { ...HEADERS, ...call.commonHeaders, ...set, ...length });
  }
  response.end(json);
}

/** Whether the client has this answer already (RFC 9110 section 13.1.2; a weak tag compares as a strong one). */
function isKnown(etag: string | undefined, ifNoneMatch: string | undefined): boolean {
  if (etag === undefined || ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
