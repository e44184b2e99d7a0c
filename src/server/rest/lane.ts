/** AIP-style REST: JSON over the paths that the methods' `google.api.http` options give them. */

import type { Message } from "@bufbuild/protobuf";
import { ServiceError } from "../../errors.js";
import { type HttpBinding, readHttpRules } from "../../rest/http-rules.js";
import { compileBinding, type RequestParts } from "../../rest/request-binding.js";
import { compileResponse } from "../../rest/response.js";
import { createRouter, type RouteMatch } from "../../rest/router.js";
import { createEncoder } from "../encoder.js";
import { dropRest, type Lane, pathOf, peerAddressOf, queryOf, type Request, type Response } from "../lane.js";
import type { Call, Pipeline } from "../pipeline.js";
import { readBody } from "../read-body.js";
import type { RpcMethod, RpcService } from "../rpc-method.js";
import { writeError } from "./error-response.js";
import { refuseUnlessJson } from "./read-request.js";
import { writeJson } from "./write-response.js";

interface Endpoint {
  readonly method: RpcMethod;
  readonly bind: (parts: RequestParts) => Message;
  readonly encode: (message: Message) => string;
  readonly takesBody: boolean;
}

export interface RestLaneOptions {
  readonly services: readonly RpcService[];
  readonly pipeline: Pipeline;
}

/** Takes every request: what no other lane wants is answered here, if only with 404. */
export function createRestLane({ services, pipeline }: RestLaneOptions): Lane {
  const router = createRouter(
    services.flatMap(({ desc, methods }) =>
      readHttpRules(desc).map((binding) => ({
        httpMethod: binding.httpMethod,
        template: binding.template,
        target: createEndpoint(binding, methods),
      })),
    ),
  );

  return {
    handle(request, response) {
      const { found, error } = findRoute(request);
      const call = pipeline.open(found?.kind === "route" ? found.target.method : undefined, {
        protocol: "rest",
        headers: request.headers,
        peerAddress: peerAddressOf(request),
      });
      call.attach(response);
      return answer(request, response, call, found, error);
    },
  };

  /** A path that cannot be decoded is an answer as any other, and needs a call to be logged with. */
  function findRoute(request: Request): { found?: RouteMatch<Endpoint> | undefined; error?: unknown } {
    try {
      return { found: router.match(request.method ?? "", pathOf(request)) };
    } catch (error) {
      return { error };
    }
  }
}

async function answer(
  request: Request,
  response: Response,
  call: Call,
  found: RouteMatch<Endpoint> | undefined,
  routeError: unknown,
): Promise<void> {
  try {
    if (routeError !== undefined) throw routeError;
    if (call.refusal !== undefined) throw call.refusal;
    if (found === undefined) throw new ServiceError("ROUTE_NOT_FOUND", "there is nothing at this path");
    if (found.kind === "method_not_allowed") {
      response.setHeader("allow", found.allow.join(", "));
      throw new ServiceError("METHOD_NOT_ALLOWED", `the method ${request.method} is not allowed here`);
    }
    const { target, variables } = found;
    if (target.takesBody) refuseUnlessJson(request);
    const body = await readBody(request, {
      maxBytes: target.method.maxRequestBytes,
      framingBytes: 0,
      contentLength: request.headers["content-length"],
      cancellation: call.cancellation,
    });
    const message = target.bind({ variables, query: queryOf(request), body });
    writeJson(response, target.method.successStatus, target.encode(await call.run(message)), call);
  } catch (error) {
    writeError(response, call.fail(error), call);
  } finally {
    dropRest(request, response);
  }
}

function createEndpoint(binding: HttpBinding, methods: readonly RpcMethod[]): Endpoint {
  const method = methods.find(({ desc }) => desc === binding.method);
  if (method === undefined) throw new Error(`${binding.template.text} belongs to a method that is not served`);
  return {
    method,
    bind: compileBinding(binding),
    encode: createEncoder(compileResponse(binding)),
    takesBody: binding.body.kind !== "none",
  };
}
