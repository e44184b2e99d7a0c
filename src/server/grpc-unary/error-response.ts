import type { ServerHttp2Stream } from "node:http2";
import type { ServiceError } from "../../errors.js";
import { setErrorTrailers } from "../grpc-trailers.js";
import type { Call } from "../pipeline.js";
import { write } from "./write-response.js";

/** Answers a call with an error: google.rpc.Status in the trailers. */
export function writeError(stream: ServerHttp2Stream, error: ServiceError, call: Call): void {
  write(stream, undefined, call, Object.fromEntries(setErrorTrailers(new Headers(), error)));
}
