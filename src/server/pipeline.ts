/** What every call goes through, whatever the protocol: the lanes differ only in how bytes become a message. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { ServiceError } from "../errors.js";
import type { HandlerCall } from "../handlers/unary-handlers.js";
import type { Logger } from "../telemetry/logger.js";
import { type Authenticate, type Caller, mayCall } from "./authenticate.js";
import { requestDeadline } from "./deadline.js";
import { codeName } from "./error-map.js";
import type { Response } from "./lane.js";
import type { RpcMethod } from "./rpc-method.js";

const REQUEST_ID_HEADER = "x-request-id";
/** Of the milliseconds in the access log. */
const DURATION_DECIMALS = 3;
const REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/;

export type Protocol = "grpc" | "grpc-web" | "connect" | "rest";

/** What a lane knows of a request before it reads the body. */
export interface RequestHead {
  readonly protocol: Protocol;
  readonly headers: IncomingHttpHeaders;
  readonly peerAddress: string | undefined;
}

export interface PipelineOptions {
  readonly authenticate: Authenticate;
  /** UUID text; the tenant of every call, until there are tenants. */
  readonly tenantId: string;
  /** How long a call may take, whatever its client asks for. */
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

export class Pipeline {
  constructor(private readonly options: PipelineOptions) {}

  /**
   * Begins a call. Whoever may not make it learns so here, before a byte of the body is read: the call then has a
   * `refusal`, and the lane answers that. `method` is `undefined` for a request that names none.
   */
  open(method: RpcMethod | undefined, head: RequestHead): Call {
    const call = new Call(method, head, this.options);
    try {
      call.admit(this.options.authenticate);
    } catch (error) {
      call.refusal = call.fail(error);
    }
    return call;
  }
}

/** One call, from its headers to its line in the access log. */
export class Call implements HandlerCall {
  readonly requestId: string;
  readonly tenantId: string;
  readonly peerAddress: string | undefined;
  /** Why the call may not be made. */
  refusal: ServiceError | undefined;
  /** Whether a message was decoded and given to `run`, or a stream begun. */
  ran = false;

  readonly #method: RpcMethod | undefined;
  readonly #head: RequestHead;
  readonly #options: PipelineOptions;
  readonly #startedAt = performance.now();
  #caller: Caller | undefined;
  #deadlineMs = 0;
  #error: ServiceError | undefined;

  constructor(method: RpcMethod | undefined, head: RequestHead, options: PipelineOptions) {
    const asked = head.headers[REQUEST_ID_HEADER];
    this.requestId = typeof asked === "string" && REQUEST_ID.test(asked) ? asked : randomUUID();
    this.tenantId = options.tenantId;
    this.peerAddress = head.peerAddress;
    this.#method = method;
    this.#head = head;
    this.#options = options;
  }

  /** Throws UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT (a malformed timeout) or DEADLINE_EXCEEDED. */
  admit(authenticate: Authenticate): void {
    if (this.#method !== undefined && this.#method.permission !== Permission.PUBLIC) {
      this.#caller = authenticate(this.#head.headers.authorization);
      if (this.#caller === undefined) {
        throw new ServiceError("UNAUTHENTICATED", "a valid bearer token is required");
      }
      if (!mayCall(this.#caller, this.#method.permission)) {
        throw new ServiceError("FORBIDDEN", `the role ${this.#caller.role} may not call this method`);
      }
    }
    this.#deadlineMs = requestDeadline(this.#head.headers, this.#options.requestTimeoutMs);
  }

  /** Runs the method. Throws ServiceError, and only that. */
  async run(message: Message): Promise<Message> {
    this.ran = true;
    try {
      const invoke = this.#method?.invoke;
      if (invoke === undefined) throw new ServiceError("UNIMPLEMENTED", "this method is not implemented");
      return await this.#withinDeadline(invoke(message, this));
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Records what became of the call; answers what the caller gets to see of it. The same error counts once. */
  fail(error: unknown): ServiceError {
    if (this.#error !== undefined && this.#error === error) return this.#error;
    if (error instanceof ServiceError) {
      this.#error = error;
      if (error.cause !== undefined) this.#logError(error.cause, error.message);
    } else {
      this.#error = new ServiceError("INTERNAL", "internal error", { cause: error });
      this.#logError(error, "unexpected error");
    }
    return this.#error;
  }

  /** Names the call in the response, and closes it when the response is out or the client gone. */
  attach(response: Response): void {
    response.setHeader(REQUEST_ID_HEADER, this.requestId);
    response.once("close", () => {
      if (!response.writableEnded) this.fail(new ServiceError("CANCELLED", "the client went away"));
      this.close();
    });
  }

  /** Ends the call: its line in the access log. */
  close(): void {
    const reason = this.#error?.reason;
    this.#options.logger.info(
      {
        request_id: this.requestId,
        protocol: this.#head.protocol,
        method: this.#method?.name,
        code: reason === undefined ? "OK" : codeName(reason),
        reason,
        caller: this.#caller?.name,
        peer: this.peerAddress,
        duration_ms: Number((performance.now() - this.#startedAt).toFixed(DURATION_DECIMALS)),
      },
      "call",
    );
  }

  #logError(err: unknown, message: string): void {
    this.#options.logger.error({ request_id: this.requestId, err }, message);
  }

  /** The handler goes on past the deadline, as its writes may be under way; its result is not waited for. */
  async #withinDeadline<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const exceeded = () => reject(new ServiceError("DEADLINE_EXCEEDED", "the deadline passed before the answer"));
      timer = setTimeout(exceeded, this.#deadlineMs);
    });
    try {
      return await Promise.race([work, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }
}
