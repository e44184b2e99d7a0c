import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GetJwksResponseSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { JsonObject } from "../store/key-store.js";
import type { HandlerCall } from "./unary-handlers.js";

/** How long clients may go on with the keys that they have: a new signing key is published for longer before it is used. */
const CACHE_CONTROL = "public, max-age=300";

/** A JWK Set of public keys (RFC 7517 section 5). */
export interface PublicJwks {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** The answer of GetJwks, with the headers that let clients keep it. */
export function answerJwks({ keys }: PublicJwks, call: HandlerCall): MessageInitShape<typeof GetJwksResponseSchema> {
  const tag = createHash("sha256").update(JSON.stringify(keys)).digest("base64url");
  call.responseHeaders.set("cache-control", CACHE_CONTROL);
  call.responseHeaders.set("etag", `"${tag}"`);
  const jwks = keys.map((key) => ({ ...key }) as JsonObject);
  return { keys: jwks, jwks: { keys: jwks } };
}
