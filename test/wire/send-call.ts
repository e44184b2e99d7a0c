import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import { receiveStatus } from "../e2e/receive-status.js";
import type { GeneratedCall } from "./generate-call.js";

/** What a client gets to see of an answer. */
export interface Observed {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** The server's RST_STREAM; 0 when there was none. */
  readonly resetCode: number | undefined;
}

/** Makes the call; `undefined` when the client cancelled, for then it is a matter of time how much it saw. */
export async function sendCall(session: ClientHttp2Session, call: GeneratedCall): Promise<Observed | undefined> {
  const stream = session.request(call.headers, { endStream: false, waitForTrailers: call.trailers !== undefined });
  stream.on("wantTrailers", () => stream.sendTrailers({ ...call.trailers }));
  const observed = observe(stream);
  const cancel = () => {
    stream.close(constants.NGHTTP2_CANCEL);
    return observed.then(() => undefined);
  };
  if (call.ending === "cancel after headers") return cancel();
  const isWhole = call.ending === "end" || call.ending === "cancel after the end";
  const pieces = isWhole ? call.pieces : call.pieces.slice(0, Math.floor(call.pieces.length / 2));
  for (const piece of pieces) await write(stream, piece);
  if (call.ending === "stall") leaveAfterStatus(stream);
  if (call.ending === "cancel after half the body") return cancel();
  if (isWhole) stream.end();
  if (call.ending === "cancel after the end") return cancel();
  const { resetCode, ...rest } = await observed;
  return { ...rest, resetCode: call.ending === "stall" ? undefined : resetCode };
}

/** Without the status the stream ends by itself, and what was seen of it tells. */
function leaveAfterStatus(stream: ClientHttp2Stream): void {
  receiveStatus(stream).then(
    () => stream.close(constants.NGHTTP2_CANCEL),
    () => undefined,
  );
}

function observe(stream: ClientHttp2Stream): Promise<Observed> {
  let headers: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  const chunks: Buffer[] = [];
  stream.on("response", (received) => {
    headers = { ...received };
  });
  stream.on("trailers", (received) => {
    trailers = { ...received };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined); // the code is looked at below
  return new Promise((resolve) => {
    stream.on("close", () => resolve({ headers, trailers, body: Buffer.concat(chunks), resetCode: stream.rstCode }));
  });
}

/** Resolves when it is written, or the stream is gone: the server may answer before it has everything. */
function write(stream: ClientHttp2Stream, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.closed) return resolve();
    stream.once("close", resolve);
    stream.write(piece, () => {
      stream.off("close", resolve);
      resolve();
    });
  });
}
