/** What every call goes through, whatever the protocol: the lanes differ only in how bytes become a message. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { ServiceError } from "../errors.js";
import type { HandlerCall } from "../handlers/unary-handlers.js";
import type { LogAccess } from "../telemetry/access-log.js";
import type { Logger } from "../telemetry/logger.js";
import { type Authenticate, type Caller, mayCall } from "./authenticate.js";
import { Cancellation } from "./cancellation.js";
import type { ReadClientAddress } from "./client-address.js";
import { askedTimeoutMs, requestDeadline } from "./deadline.js";
import { codeName } from "./error-map.js";
import type { Response } from "./lane.js";
import type { RpcMethod } from "./rpc-method.js";

export const REQUEST_ID_HEADER = "x-request-id";
/** The access log has durations to the microsecond. */
const US_PER_MS = 1_000;
/** The longest time that a timer of Node can wait: 2^31 - 1 ms, 24 days. */
const MAX_TIMER_MS = 2_147_483_647;
const REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/;

export type Protocol = "grpc" | "grpc-web" | "connect" | "rest";

/** What a lane knows of a request before it reads the body. */
export interface RequestHead {
  readonly protocol: Protocol;
  readonly headers: IncomingHttpHeaders;
  readonly peerAddress: string | undefined;
  /** Absent: not a Connect GET. */
  readonly query?: string;
}

/** What a handler sends besides its message. */
export interface ResponseMetadata {
  readonly headers: Headers;
  readonly trailers: Headers;
}

export interface PipelineOptions {
  readonly authenticate: Authenticate;
  /** UUID text; the tenant of every call, until there are tenants. */
  readonly tenantId: string;
  /** How long a call may take, whatever its client asks for. */
  readonly requestTimeoutMs: number;
  /** Where a call comes from, when proxies stand between. */
  readonly readClientAddress: ReadClientAddress;
  readonly logger: Logger;
  readonly logAccess: LogAccess;
}

export class Pipeline {
  constructor(private readonly options: PipelineOptions) {}

  /**
   * Begins a call. Whoever may not make it learns so here, before a byte of the body is read: the call then has a
   * `refusal`, and the lane answers that. `method` is `undefined` for a request that names none.
   */
  open(method: RpcMethod | undefined, head: RequestHead): Call {
    return new Call(method, head, this.options);
  }

  /** For what a lane could not answer at all: a defect, which would leave no trace but a connection that is cut. */
  logDefect(error: unknown): void {
    this.options.logger.error({ err: error }, "a request could not be answered");
  }
}

/** One call, from its headers to its line in the access log. */
export class Call implements HandlerCall {
  readonly requestId: string;
  readonly tenantId: string;
  readonly peerAddress: string | undefined;
  /** Why the call may not be made. */
  readonly refusal: ServiceError | undefined;
  /** Told when the deadline passes or the client goes away. */
  readonly cancellation = new Cancellation();
  /** Whether a message was decoded and given to `run`, or a stream begun. */
  ran = false;

  readonly #method: RpcMethod | undefined;
  readonly #head: RequestHead;
  readonly #options: PipelineOptions;
  readonly #startedAt = performance.now();
  #caller: Caller | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #error: ServiceError | undefined;
  #responseMetadata: ResponseMetadata | undefined;

  constructor(method: RpcMethod | undefined, head: RequestHead, options: PipelineOptions) {
    const asked = head.headers[REQUEST_ID_HEADER];
    this.requestId = typeof asked === "string" && REQUEST_ID.test(asked) ? asked : randomUUID();
    this.tenantId = options.tenantId;
    this.peerAddress = head.peerAddress;
    this.#method = method;
    this.#head = head;
    this.#options = options;
    try {
      this.#admit();
    } catch (error) {
      this.refusal = this.fail(error);
    }
  }

  get caller(): string {
    return this.#caller?.name ?? "";
  }

  get clientAddress(): string | undefined {
    return this.#options.readClientAddress(this.#head.headers, this.peerAddress);
  }

  get requestHeaders(): IncomingHttpHeaders {
    return this.#head.headers;
  }

  get query(): string {
    return this.#head.query ?? "";
  }

  get timeoutMs(): number | undefined {
    return askedTimeoutMs(this.#head.headers);
  }

  get responseHeaders(): Headers {
    return this.#metadata().headers;
  }

  get responseTrailers(): Headers {
    return this.#metadata().trailers;
  }

  /** For lanes: what the handler of a unary method set; `undefined` when it did not ask for either, as hardly any does. */
  get responseMetadata(): ResponseMetadata | undefined {
    return this.#responseMetadata;
  }

  /** What the call failed with so far. */
  get error(): ServiceError | undefined {
    return this.#error;
  }

  /**
   * What every answer carries. Answers hold keys and, after issue and rotate, their secrets: nothing may keep them. (Nothing
   * that knows gRPC keeps its answers, so there it goes without saying.)
   */
  get commonHeaders(): Readonly<Record<string, string>> {
    const requestId = { [REQUEST_ID_HEADER]: this.requestId };
    return this.#head.protocol === "grpc" ? requestId : { ...requestId, "cache-control": "no-store" };
  }

  /** Ends the call when its response is out or the client gone. */
  attach(response: Response): void {
    response.once("close", () => {
      this.close(response.writableEnded);
    });
  }

  /** Runs the method. Throws ServiceError, and only that. */
  async run(message: Message): Promise<Message> {
    this.ran = true;
    try {
      this.cancellation.throwIfCancelled();
      const invoke = this.#method?.invoke;
      if (invoke === undefined) throw new ServiceError("UNIMPLEMENTED", "this method is not implemented");
      return await this.untilCancelled(invoke(message, this));
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Records what became of the call; answers what the caller gets to see of it. What it failed with first stays. */
  fail(error: unknown): ServiceError {
    if (this.#error !== undefined) return this.#error;
    if (error instanceof ServiceError) {
      this.#error = error;
      if (error.cause !== undefined) this.#logError(error.cause, error.message);
    } else {
      this.#error = new ServiceError("INTERNAL", "internal error", { cause: error });
      this.#logError(error, "unexpected error");
    }
    return this.#error;
  }

  /** Throws UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT (a malformed timeout) or DEADLINE_EXCEEDED. */
  #admit(): void {
    const { authenticate, requestTimeoutMs } = this.#options;
    if (this.#method !== undefined && this.#method.permission !== Permission.PUBLIC) {
      this.#caller = authenticate(this.#head.headers.authorization);
      if (this.#caller === undefined) {
        throw new ServiceError("UNAUTHENTICATED", "a valid bearer token is required");
      }
      if (!mayCall(this.#caller, this.#method.permission)) {
        throw new ServiceError("FORBIDDEN", `the role ${this.#caller.role} may not call this method`);
      }
    }
    const isStream = this.#method?.stream !== undefined;
    const deadlineMs = requestDeadline(this.#head.headers, isStream ? Number.POSITIVE_INFINITY : requestTimeoutMs);
    if (deadlineMs > MAX_TIMER_MS) return;
    this.#deadline = setTimeout(() => {
      this.cancellation.cancel(new ServiceError("DEADLINE_EXCEEDED", "the deadline passed before the answer"));
    }, deadlineMs);
  }

  /** The handler goes on past the deadline, as its writes may be under way; its result is not waited for. */
  untilCancelled<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.cancellation.add(reject);
      work.then(resolve, reject);
    });
  }

  #metadata(): ResponseMetadata {
    this.#responseMetadata ??= { headers: new Headers(), trailers: new Headers() };
    return this.#responseMetadata;
  }

  /** Ends the call: its line in the access log. `isAnswered`: or else the client went away first. */
  close(isAnswered: boolean): void {
    clearTimeout(this.#deadline);
    if (!isAnswered) {
      const goneAway = new ServiceError("CANCELLED", "the client went away");
      this.cancellation.cancel(goneAway);
      this.fail(goneAway);
    }
    const reason = this.#error?.reason;
    this.#options.logAccess({
      request_id: this.requestId,
      protocol: this.#head.protocol,
      method: this.#method?.name,
      code: reason === undefined ? "OK" : codeName(reason),
      reason,
      caller: this.#caller?.name,
      peer: this.peerAddress,
      duration_ms: Math.round((performance.now() - this.#startedAt) * US_PER_MS) / US_PER_MS,
    });
  }

  #logError(err: unknown, message: string): void {
    this.#options.logger.error({ request_id: this.requestId, err }, message);
  }
}
