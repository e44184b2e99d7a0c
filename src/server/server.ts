import type { DescService, Registry } from "@bufbuild/protobuf";
import { ServiceError } from "../errors.js";
import { createConnectLane } from "./connect/lane.js";
import { createGrpcUnaryLane } from "./grpc-unary/lane.js";
import { createHealthLane, createHealthService, type HealthOptions } from "./health.js";
import type { Lane } from "./lane.js";
import { type ListenerOptions, listen } from "./listener.js";
import { createOpenApiLane } from "./openapi.js";
import type { Pipeline } from "./pipeline.js";
import { createReflectionServices } from "./reflection.js";
import { createRestLane } from "./rest/lane.js";
import type { RpcService } from "./rpc-method.js";

export interface ServerOptions extends Omit<ListenerOptions, "onStream" | "onRequest"> {
  readonly services: readonly RpcService[];
  readonly pipeline: Pipeline;
  /** Whether unary gRPC has a lane of its own, or goes through connect like the rest. */
  readonly grpcUnaryLane: boolean;
  /** What may stand in a google.protobuf.Any in JSON; absent: nothing. */
  readonly registry?: Registry;
  /** Resolves when calls can be answered now. */
  readonly checkReady: () => Promise<void>;
  readonly drainTimeoutMs: number;
}

export interface RunningServer {
  readonly url: string;
  /** Drains and stops. */
  close(): Promise<void>;
}

/** Serves `services`, health and reflection over every protocol on one port. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { services, pipeline, drainTimeoutMs } = options;
  const shutdown = new AbortController();
  const health: HealthOptions = {
    services: services.map(({ desc }) => desc.typeName),
    check: options.checkReady,
    shutdownSignal: shutdown.signal,
  };
  const all = [...services, createHealthService(health)];
  const descs: DescService[] = all.map(({ desc }) => desc);
  const lanes: readonly Lane[] = [
    createConnectLane({
      services: [...all, ...createReflectionServices(descs)],
      pipeline,
      shutdownSignal: shutdown.signal,
      registry: options.registry,
    }),
    createHealthLane(health),
    createOpenApiLane(pipeline),
    createRestLane({ services, pipeline }),
  ];
  const fastLane = options.grpcUnaryLane ? createGrpcUnaryLane({ services: all, pipeline }) : undefined;
  const listener = await listen({
    ...options,
    onStream: (stream, headers) => fastLane?.handle(stream, headers) ?? false,
    onRequest: (request, response) => {
      for (const lane of lanes) {
        const answered = lane.handle(request, response);
        if (answered === undefined) continue;
        answered.catch((error) => {
          pipeline.logDefect(error);
          response.destroy(error);
        });
        return;
      }
    },
  });
  return {
    url: listener.url,
    close: () => {
      shutdown.abort(new ServiceError("UNAVAILABLE", "the server is stopping"));
      return listener.close(drainTimeoutMs);
    },
  };
}
