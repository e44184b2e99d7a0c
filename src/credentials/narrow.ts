import type { Caveat } from "./caveat.js";
import type { DerivedClaims } from "./derived-claims.js";

/** The networks that hold the addresses which are in a network of `a` and in one of `b`. */
export type IntersectCidrs = (a: readonly string[], b: readonly string[]) => readonly string[];

/**
 * The claims of a macaroon under its caveats, which the caller has found to be signed. Every caveat narrows: the earliest
 * expiry counts, the scopes are those that are in the claims and in every caveat (in the order of the claims), the
 * networks those that the claims and every caveat have in common. What a caveat lists beyond the claims adds nothing.
 *
 * `undefined`: the token permits nothing, since a caveat is unknown, or since a caveat left no scope or no network.
 */
export function narrow(
  claims: DerivedClaims,
  caveats: readonly Caveat[],
  intersectCidrs: IntersectCidrs,
): DerivedClaims | undefined {
  let narrowed: DerivedClaims | undefined = claims;
  for (const caveat of caveats) narrowed = narrowed && applyCaveat(narrowed, caveat, intersectCidrs);
  return narrowed;
}

function applyCaveat(claims: DerivedClaims, caveat: Caveat, intersectCidrs: IntersectCidrs): DerivedClaims | undefined {
  switch (caveat.kind) {
    case "exp":
      return caveat.expireTime < claims.expireTime ? { ...claims, expireTime: caveat.expireTime } : claims;
    case "scp": {
      const allowed = new Set(caveat.scopes);
      const scopes = claims.scopes.filter((scope) => allowed.has(scope));
      return scopes.length > 0 ? { ...claims, scopes } : undefined;
    }
    case "acl": {
      // A list with itself gives the same networks, and drops what is none.
      const allowedCidrs = intersectCidrs(claims.allowedCidrs ?? caveat.cidrs, caveat.cidrs);
      return allowedCidrs.length > 0 ? { ...claims, allowedCidrs } : undefined;
    }
    case "unknown":
      return undefined;
  }
}
