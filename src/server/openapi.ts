/** The OpenAPI document of REST, over HTTP: `/openapi.json`. */
import { createHash } from "node:crypto";
import { openApi } from "../../gen/openapi.js";
import { ServiceError } from "../errors.js";
import { dropRest, type Lane, pathOf, peerAddressOf, type Request, type Response } from "./lane.js";
import type { Call, Pipeline } from "./pipeline.js";
import { writeError } from "./rest/error-response.js";
import { writeJson } from "./rest/write-response.js";

const PATH = "/openapi.json";
const HTTP_OK = 200;
/** It changes with a release only; whoever asks again with the ETag is told so. */
const CACHE_CONTROL = "public, max-age=300";

/** Public, like the protos that reflection shows. Not an RPC: other protocols have reflection. */
export function createOpenApiLane(pipeline: Pipeline): Lane {
  const json = JSON.stringify(openApi);
  const etag = `"${createHash("sha256").update(json).digest("base64url")}"`;

  return {
    handle(request, response) {
      if (pathOf(request) !== PATH) return undefined;
      const call = pipeline.open(undefined, {
        protocol: "rest",
        headers: request.headers,
        peerAddress: peerAddressOf(request),
      });
      call.attach(response);
      return answer(request, response, call);
    },
  };

  async function answer(request: Request, response: Response, call: Call): Promise<void> {
    try {
      if (call.refusal !== undefined) throw call.refusal;
      if (request.method !== "GET") {
        response.setHeader("allow", "GET");
        throw new ServiceError("METHOD_NOT_ALLOWED", `the method ${request.method} is not allowed here`);
      }
      call.responseHeaders.set("cache-control", CACHE_CONTROL);
      call.responseHeaders.set("etag", etag);
      writeJson(response, HTTP_OK, json, call);
    } catch (error) {
      writeError(response, call.fail(error), call);
    } finally {
      dropRest(request, response);
    }
  }
}
