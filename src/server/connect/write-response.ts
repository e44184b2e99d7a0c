import { once } from "node:events";
import { createAsyncIterable, readAllBytes, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Response } from "../lane.js";

/** A response whose body is known whole. */
export interface WholeResponse extends Omit<UniversalServerResponse, "body"> {
  readonly body: Uint8Array;
}

export type Answer = WholeResponse | UniversalServerResponse;

/** Collects the body of a unary response, which is no larger than its message. */
export async function readWhole(answered: UniversalServerResponse): Promise<WholeResponse> {
  return { ...answered, body: await readAllBytes(answered.body ?? createAsyncIterable([]), Number.POSITIVE_INFINITY) };
}

/**
 * Writes an answer, whole or streamed. Resolves when it is out or its client gone, which is no error here. (connect-node's
 * own writer waits for an event that a server's response does not have, and rejects when the client goes.)
 */
export async function writeAnswer(answer: Answer, response: Response): Promise<void> {
  if (isGone(response) || response.headersSent) return;
  const { status, header, body, trailer } = answer;
  // The head goes out with the first bytes: until then a stream's handler may still add to it.
  for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) {
    if (isGone(response)) return;
    if (!response.headersSent) response.writeHead(status, nodeHeaders(header));
    if (!write(response, chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  if (isGone(response)) return;
  if (!response.headersSent) response.writeHead(status, nodeHeaders(header));
  response.addTrailers(nodeHeaders(trailer));
  response.end();
}

function isGone(response: Response): boolean {
  return response.destroyed || response.writableEnded || response.socket?.destroyed === true;
}

/** The two versions of HTTP agree on this; their types do not. */
function write(response: Response, chunk: Uint8Array): boolean {
  return (response.write as (chunk: Uint8Array) => boolean).call(response, chunk);
}

function nodeHeaders(headers: Headers | undefined): Record<string, string> {
  return Object.fromEntries(headers ?? []);
}
