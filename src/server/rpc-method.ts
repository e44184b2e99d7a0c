import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { max_request_bytes, Permission, permission, success_status } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { ServiceError } from "../errors.js";
import type { HandlerCall, UnaryHandlers } from "../handlers/unary-handlers.js";

const DEFAULT_SUCCESS_STATUS = 200;
const DEFAULT_MAX_REQUEST_BYTES = 1024 * 1024;

/**
 * A streaming method's handler: takes a message, or the iterable of them, and answers likewise, as its method says. It
 * stops when the context's signal does, and sets headers and trailers on the context.
 */
export type StreamHandler = (
  input: never,
  context: HandlerContext,
  call: HandlerCall,
) => AsyncIterable<object> | Promise<object>;

/** A method as the pipeline and the lanes see it: everything that differs between RPCs is in here. */
export interface RpcMethod {
  readonly desc: DescMethod;
  /** Such as `latchkey.v2alpha1.ApiKeysService/AdminVerifyApiKey`. */
  readonly name: string;
  readonly permission: Permission;
  /** HTTP status of a success over REST. */
  readonly successStatus: number;
  readonly maxRequestBytes: number;
  /** A unary method's handler; absent: the method is not implemented. */
  readonly invoke?: (message: Message, call: HandlerCall) => Promise<Message>;
  /** A streaming method's handler; only the connect lane has streams. */
  readonly stream?: StreamHandler;
}

export interface RpcService {
  readonly desc: DescService;
  readonly methods: readonly RpcMethod[];
}

export interface RpcServiceOptions<S extends DescService> {
  readonly handlers: UnaryHandlers<S>;
  /** Streaming methods, by their local names. */
  readonly streams?: Readonly<Record<string, StreamHandler>>;
  /** Of a published service, whose methods cannot carry our options. */
  readonly permission?: Permission;
  /** Likewise. */
  readonly maxRequestBytes?: number;
}

/** Reads a service's options once. Throws for a method that does not say who may call it. */
export function createRpcService<S extends DescService>(desc: S, options: RpcServiceOptions<S>): RpcService {
  // The handlers' precise types hold where they are written; from here on every method is treated alike.
  const handlers = options.handlers as Readonly<Record<string, UnaryHandler | undefined>>;
  const methods = desc.methods.map((method): RpcMethod => {
    const name = `${desc.typeName}/${method.name}`;
    const required = options.permission ?? getOption(method, permission);
    if (required === Permission.UNSPECIFIED) throw new Error(`${name} has no (latchkey.v2alpha1.permission)`);
    const handler = handlers[method.localName];
    const stream = options.streams?.[method.localName];
    return {
      desc: method,
      name,
      permission: required,
      successStatus: hasOption(method, success_status) ? getOption(method, success_status) : DEFAULT_SUCCESS_STATUS,
      maxRequestBytes: hasOption(method, max_request_bytes)
        ? getOption(method, max_request_bytes)
        : (options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES),
      ...(handler && { invoke: async (message, call) => create(method.output, await handler(message, call)) }),
      ...(stream && { stream }),
    };
  });
  return { desc, methods };
}

/** What a lane says of a request that it cannot decode. What a decoder says of it may quote the request. */
export function undecodable(input: DescMessage): ServiceError {
  return new ServiceError("INVALID_ARGUMENT", `the request cannot be decoded as ${input.typeName}`);
}

type UnaryHandler = (message: Message, call: HandlerCall) => Promise<Record<string, unknown>>;
