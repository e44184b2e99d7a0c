import { createAsyncIterable, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Response } from "../lane.js";
import type { WholeResponse } from "./error-response.js";

/** Writes a response, whole or streamed; resolves when nothing more will be written. */
export function writeResponse(answered: UniversalServerResponse | WholeResponse, response: Response): Promise<void> {
  const body = answered.body instanceof Uint8Array ? createAsyncIterable([answered.body]) : answered.body;
  const { status, header, trailer } = answered;
  const universal = { status, ...(header && { header }), ...(trailer && { trailer }), ...(body && { body }) };
  return new Promise((resolve, reject) => {
    // connect-node waits for an event that a server's response does not have; "close" comes in any case.
    response.once("close", resolve);
    universalResponseToNodeResponse(universal, response).catch(reject);
  });
}
