import type { Freshness } from "../store/key-store.js";
import type { HandlerCall } from "./unary-handlers.js";

/**
 * What a caller asks of the cache, over any protocol: the `Cache-Control` and `Pragma` of HTTP (RFC 9111 sections 5.2.1 and
 * 5.4), or of gRPC's metadata.
 *
 * `no-cache` reads the key afresh; `no-store` does so too, and does not remember it. Neither has an argument, and case does
 * not matter. Anything else, and what is malformed, is ignored. (A comma in a quoted string ends it: at worst the key is read
 * afresh.)
 */
export function freshnessFromHeaders({
  "cache-control": cacheControl,
  pragma,
}: HandlerCall["requestHeaders"]): Freshness {
  if (cacheControl === undefined && pragma === undefined) return "cached";
  const directives = directivesOf(cacheControl);
  if (directives.includes("no-store")) return "unstored";
  return directives.includes("no-cache") || directivesOf(pragma).includes("no-cache") ? "fresh" : "cached";
}

/** In lower case. */
function directivesOf(value: string | string[] = ""): string[] {
  const text = typeof value === "string" ? value : value.join(",");
  return text.split(",").map((directive) => directive.trim().toLowerCase());
}
