import type { Message } from "@bufbuild/protobuf";
import { DecodeState } from "./decode-state.js";
import { setFieldPath } from "./field-path.js";
import type { HttpBinding } from "./http-rules.js";
import type { DecoderCache } from "./json-decode.js";
import { compileQueryBinder } from "./query-params.js";
import { compileBodyDecoder } from "./request-body.js";
import { compileTextDecoder } from "./text-decode.js";
import { compileMaskFiller } from "./update-mask.js";

/** A request's parts that become its message. */
export interface RequestParts {
  /** As the router captured them: decoded, in the template's order. */
  readonly variables: readonly string[];
  /** Raw, without the question mark. */
  readonly query: string;
  /** The whole body, decompressed. */
  readonly body: Uint8Array | undefined;
}

/**
 * Compiles the way from an HTTP request to the request message of a binding. The body comes first, then the query, which
 * may not say the same twice, then the path, which wins over the body (as in grpc-gateway): the answer of a GET can be
 * sent back as it is.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
 * @throws ServiceError (the result) INVALID_ARGUMENT with up to ten mistakes, each with its field's path
 */
export function compileBinding(binding: HttpBinding): (parts: RequestParts) => Message {
  const cache: DecoderCache = new Map();
  const { body, method, variables } = binding;
  const decodeBody = compileBodyDecoder(binding, cache);
  const bindQuery = compileQueryBinder(binding, cache);
  const resource = body.kind === "field" ? body.field.message : method.input;
  const fillMask = resource && compileMaskFiller(method.input, resource);
  const bindings = variables.map((path) => {
    const field = path.at(-1) ?? path[0];
    return { path, names: path.map(({ name }) => name), decode: compileTextDecoder(field, cache) };
  });

  return (parts) => {
    const state = new DecodeState();
    const { message, resourceJson, fields } = decodeBody(parts.body, state);
    bindQuery(message, parts.query, fields, state);
    for (const [index, { path, names, decode }] of bindings.entries()) {
      state.within(names, () => {
        const value = decode(parts.variables[index] ?? "", state);
        if (value !== undefined) setFieldPath(message, path, value);
      });
    }
    state.finish();
    fillMask?.(message, resourceJson);
    return message;
  };
}
