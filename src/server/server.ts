import type { DescService } from "@bufbuild/protobuf";
import { ServiceError } from "../errors.js";
import { createConnectLane } from "./connect/lane.js";
import { createHealthLane, createHealthService, type HealthOptions } from "./health.js";
import type { Lane } from "./lane.js";
import { type ListenerOptions, listen } from "./listener.js";
import type { Pipeline } from "./pipeline.js";
import { createReflectionServices } from "./reflection.js";
import { createRestLane } from "./rest/lane.js";
import type { RpcService } from "./rpc-method.js";

export interface ServerOptions extends Omit<ListenerOptions, "onRequest"> {
  readonly services: readonly RpcService[];
  readonly pipeline: Pipeline;
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
    }),
    createHealthLane(health),
    createRestLane({ services, pipeline }),
  ];
  const listener = await listen({
    ...options,
    onRequest: (request, response) => {
      for (const lane of lanes) {
        const answered = lane.handle(request, response);
        if (answered !== undefined) return void answered.catch((error) => response.destroy(error));
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
