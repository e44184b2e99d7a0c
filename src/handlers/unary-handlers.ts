import type { DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** What a handler knows of the call besides its message. */
export interface HandlerCall {
  /** UUID text. */
  readonly tenantId: string;
  /** Name of whoever makes the call; empty for a public method. */
  readonly caller: string;
  /** IP address that the call comes from, past the proxies that are trusted; `undefined` when that cannot be told. */
  readonly clientAddress: string | undefined;
  /** Names in lower case. */
  readonly requestHeaders: Readonly<Record<string, string | string[] | undefined>>;
  /** What follows the `?` of a Connect GET; empty for any other call. */
  readonly query: string;
  /** How long the client gives the call, from its start; `undefined` when it does not say. */
  readonly timeoutMs: number | undefined;
  /** Sent with the answer, be it a message or an error, over gRPC, gRPC-Web and Connect. Names ending in `-bin` hold base64. */
  readonly responseHeaders: Headers;
  readonly responseTrailers: Headers;
}

/**
 * The unary methods of a service as functions from message to message. They throw ServiceError. A method that is
 * absent answers UNIMPLEMENTED.
 */
export type UnaryHandlers<S extends DescService> = {
  readonly [M in keyof S["method"] as S["method"][M] extends DescMethodUnary ? M : never]?: (
    request: MessageShape<S["method"][M]["input"]>,
    call: HandlerCall,
  ) => Promise<MessageInitShape<S["method"][M]["output"]>>;
};
