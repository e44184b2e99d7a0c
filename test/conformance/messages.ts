/** The suite's messages, as far as its service reads them; connectrpc/conformance/v1/{service,server_compat}.proto. */
import type { Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Code } from "@connectrpc/connect";

export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

export interface RequestedError {
  readonly code: Code;
  readonly message?: string;
  readonly details: readonly Any[];
}

export interface UnaryDefinition {
  readonly responseHeaders: readonly Header[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
  readonly response:
    | { readonly case: "responseData"; readonly value: Uint8Array }
    | { readonly case: "error"; readonly value: RequestedError }
    | { readonly case: undefined; readonly value?: undefined };
}

export interface StreamDefinition {
  readonly responseHeaders: readonly Header[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
  readonly responseData: readonly Uint8Array[];
  readonly error?: RequestedError;
}

export interface UnaryRequest extends Message {
  readonly responseDefinition?: UnaryDefinition;
}

export interface StreamRequest extends Message {
  readonly responseDefinition?: StreamDefinition;
  /** Of bidirectional streams, in their first message. */
  readonly fullDuplex?: boolean;
}

export interface ServerCompatRequest extends Message {
  readonly useTls: boolean;
  /** PEM; empty: clients need no certificate. */
  readonly clientTlsCert: Uint8Array;
  /** 0: none. */
  readonly messageReceiveLimit: number;
  readonly serverCreds?: { readonly cert: Uint8Array; readonly key: Uint8Array };
}
