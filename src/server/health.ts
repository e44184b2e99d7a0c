/** Health over gRPC (grpc.health.v1) and over HTTP (`/health/alive`, `/health/ready`). */
import { setTimeout as delay } from "node:timers/promises";
import type { HandlerContext } from "@connectrpc/connect";
import {
  Health,
  type HealthCheckRequest,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { ServiceError } from "../errors.js";
import { type Lane, pathOf, type Response } from "./lane.js";
import { createRpcService, type RpcService } from "./rpc-method.js";

/** How often a watched status is looked at. */
const WATCH_INTERVAL_MS = 1_000;
const ALIVE_PATH = "/health/alive";
const READY_PATH = "/health/ready";
const HTTP_OK = 200;
const HTTP_UNAVAILABLE = 503;

export interface HealthOptions {
  /** Names of the services that are asked about; the empty name, for the server as a whole, is always known. */
  readonly services: readonly string[];
  /** Resolves when calls can be answered now, rejects when they cannot. */
  readonly check: () => Promise<void>;
  /** Aborted when the server begins to stop: from then on it is not ready. */
  readonly shutdownSignal: AbortSignal;
}

export function createHealthService(options: HealthOptions): RpcService {
  const known = ["", ...options.services];
  const status = (service: string) => (known.includes(service) ? servingStatus(options) : undefined);

  return createRpcService(Health, {
    permission: Permission.PUBLIC,
    handlers: {
      async check({ service }) {
        const current = await status(service);
        if (current === undefined) throw new ServiceError("ROUTE_NOT_FOUND", "there is no such service");
        return { status: current };
      },
      async list() {
        const current = await servingStatus(options);
        return { statuses: Object.fromEntries(known.map((service) => [service, { status: current }])) };
      },
    },
    streams: {
      /** Says the status at once and whenever it changes; a service that is not known is no error here. */
      async *watch(request: HealthCheckRequest, { signal }: HandlerContext) {
        let last: ServingStatus | undefined;
        while (!signal.aborted) {
          const current = (await status(request.service)) ?? ServingStatus.SERVICE_UNKNOWN;
          if (current !== last) yield { status: current };
          last = current;
          await delay(WATCH_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined); // aborted: the loop ends
        }
      },
    },
  });
}

/** For load balancers that speak plain HTTP: alive as long as the process answers, ready as long as calls can be. */
export function createHealthLane(options: HealthOptions): Lane {
  return {
    handle(request, response) {
      const path = pathOf(request);
      if (path === ALIVE_PATH) return answer(response, Promise.resolve(ServingStatus.SERVING));
      if (path === READY_PATH) return answer(response, servingStatus(options));
      return undefined;
    },
  };
}

async function answer(response: Response, status: Promise<ServingStatus>): Promise<void> {
  const current = await status;
  const code = current === ServingStatus.SERVING ? HTTP_OK : HTTP_UNAVAILABLE;
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify({ status: ServingStatus[current] }));
}

async function servingStatus({ check, shutdownSignal }: HealthOptions): Promise<ServingStatus> {
  if (shutdownSignal.aborted) return ServingStatus.NOT_SERVING;
  return check().then(
    () => ServingStatus.SERVING,
    () => ServingStatus.NOT_SERVING, // why is in the log of the calls that fail for the same reason
  );
}
