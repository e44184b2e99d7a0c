import type { Caveat } from "./caveat.js";
import type { DerivedClaims } from "./derived-claims.js";

/** The networks that hold the addresses which are in a network of every list. */
export type IntersectCidrs = (...lists: readonly (readonly string[])[]) => readonly string[];

/**
 * The claims of a macaroon under its caveats, which the caller has found to be signed. Every caveat narrows: the earliest
 * expiry counts, the scopes are those that are in the claims and in every caveat (in the order of the claims), the
 * networks those that the claims and every caveat have in common. What a caveat lists beyond the claims adds nothing. Takes
 * time in proportion to the token's length.
 *
 * `undefined`: the token permits nothing, since a caveat is unknown, or since its caveats leave no scope or no network.
 */
export function narrow(
  claims: DerivedClaims,
  caveats: readonly Caveat[],
  intersectCidrs: IntersectCidrs,
): DerivedClaims | undefined {
  let { scopes, expireTime } = claims;
  const lists: (readonly string[])[] = [];
  for (const caveat of caveats) {
    switch (caveat.kind) {
      case "unknown":
        return undefined;
      case "exp":
        if (caveat.expireTime < expireTime) expireTime = caveat.expireTime;
        break;
      case "scp": {
        const allowed = new Set(caveat.scopes);
        scopes = scopes.filter((scope) => allowed.has(scope));
        if (scopes.length === 0) return undefined;
        break;
      }
      case "acl":
        lists.push(caveat.cidrs);
    }
  }
  if (lists.length === 0) return { ...claims, scopes, expireTime };
  const allowedCidrs = intersectCidrs(...(claims.allowedCidrs ? [claims.allowedCidrs] : []), ...lists);
  return allowedCidrs.length === 0 ? undefined : { ...claims, scopes, expireTime, allowedCidrs };
}
