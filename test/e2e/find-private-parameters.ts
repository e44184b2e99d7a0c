import type { Answer, Refusal } from "./clients/api-client.js";
import type { SigningJwk } from "./server.js";

/** Every private parameter that a JWK of any kind can have (RFC 7518 section 6, RFC 8037 section 2). */
const PRIVATE_PARAMETERS = new Set(["d", "p", "q", "dp", "dq", "qi", "oth", "k"]);

/**
 * The names of private parameters that an answer shows: in an object that looks like a JWK, or by the value that they have
 * in `signingJwk`, wherever that stands.
 */
export function findPrivateParameters(outcome: Answer | Refusal, signingJwk: SigningJwk | undefined): string[] {
  const shown = JSON.stringify({ ...outcome, headers: [...outcome.headers] });
  const values = Object.entries(signingJwk ?? {}).filter(
    ([name, value]) => PRIVATE_PARAMETERS.has(name) && typeof value === "string" && shown.includes(value),
  );
  return [...values.map(([name]) => name), ...findInJwks(JSON.parse(shown))];
}

function findInJwks(json: unknown): string[] {
  if (typeof json !== "object" || json === null) return [];
  const own = "kty" in json ? Object.keys(json).filter((name) => PRIVATE_PARAMETERS.has(name)) : [];
  return [...own, ...Object.values(json).flatMap(findInJwks)];
}
