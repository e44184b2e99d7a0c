import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { systemErrorCode } from "./data-directory-error.js";

const FETCH_TIMEOUT_MS = 10_000;
const OK = 200;
const ACCEPTED = "application/jwk-set+json, application/json";

export interface HttpsOptions {
  /** PEM of the authorities that are trusted. Absent: those that Node trusts. */
  readonly ca?: Buffer;
  /** How long a whole fetch may take; 10 s when absent. */
  readonly timeoutMs?: number;
}

/** The content, or why there is none, in words that hold nothing of the URL or of an answer. */
export type Fetched =
  | { readonly content: string; readonly failure?: undefined }
  | { readonly content?: undefined; readonly failure: string };

/** Fetches an https URL. An answer that is no 200 is a failure; so a redirect is, for it could lead anywhere. */
export async function fetchJwks(
  url: string,
  maxBytes: number,
  signal: AbortSignal,
  { ca, timeoutMs = FETCH_TIMEOUT_MS }: HttpsOptions = {},
): Promise<Fetched> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const outgoing = request(url, {
      ...(ca && { ca }),
      agent: false, // a connection is of no use minutes later
      headers: { accept: ACCEPTED },
      signal: AbortSignal.any([signal, timeout]),
    }).end();
    // An error that comes after the answer began ends the answer too; nobody else would listen to it here.
    outgoing.on("error", () => undefined);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return await readAnswer(response, maxBytes);
  } catch (error) {
    if (timeout.aborted) return { failure: `did not answer within ${timeoutMs} ms` };
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { failure: `cannot be fetched (${code})` };
  }
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Fetched> {
  try {
    if (response.statusCode !== OK) return { failure: `answered with HTTP status ${response.statusCode}` };
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) return { failure: `is larger than ${maxBytes} bytes` };
      chunks.push(chunk);
    }
    return { content: Buffer.concat(chunks).toString("utf8") };
  } finally {
    response.destroy();
  }
}
