import type { ServerHttp2Stream } from "node:http2";
import type { ServiceError } from "../../errors.js";
import { setErrorTrailers } from "../grpc-trailers.js";
import type { Call } from "../pipeline.js";
import { writeStatus } from "./write-response.js";

/** Answers a call with an error: google.rpc.Status, in its trailers. */
export function writeError(stream: ServerHttp2Stream, error: ServiceError, call: Call): void {
  writeStatus(stream, Object.fromEntries(setErrorTrailers(new Headers(), error)), call);
}
