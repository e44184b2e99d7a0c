import type { Message } from "@bufbuild/protobuf";
import type { HttpBinding } from "./http-rules.js";
import { compileJsonEncoder, compileJsonFieldEncoder } from "./json-encode.js";

/** Compiles the way from a binding's response message to its JSON body: the whole, or the field that `response_body` names. */
export function compileResponse(binding: HttpBinding): (message: Message) => string {
  return binding.responseBody
    ? compileJsonFieldEncoder(binding.responseBody)
    : compileJsonEncoder(binding.method.output);
}
