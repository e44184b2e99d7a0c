/** The limits of what a key's owner may say of it. Pure; every mistake is found, each with the field's path. */
import { type FieldViolation, invalidArguments } from "../errors.js";
import type { JsonObject, JsonValue, RateLimitPolicy, RateLimitUnit, Visibility } from "../store/key-store.js";
import type { KeySettings } from "./context.js";
import { isCidr } from "./ip-allowlist.js";

const MAX_TEXT_CHARACTERS = 255;
const MAX_SCOPES = 128;
const MAX_CIDRS = 128;
const MAX_JSON_BYTES = 4096;
/** MongoDB documents nest at most 100 levels, the ones around the metadata included. */
const MAX_JSON_DEPTH = 64;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_TTL_MS = 1_000;
const RATE_LIMIT_UNITS: readonly RateLimitUnit[] = ["requests", "content-bytes", "concurrent-requests"];
const PRINTABLE_WITHOUT_SPACES = /^[^\p{C}\p{Z}]+$/u;
/** Not a name like any other in JavaScript: a message in binary loses it, so no protocol may store it. */
const PROTOTYPE = "__proto__";
const MS_PER_SECOND = 1000;

/** What an update or a rotation may change. */
export interface KeyAttributes {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly metadata?: JsonObject | undefined;
  readonly rateLimitPolicy?: RateLimitPolicyInput | undefined;
  readonly allowedCidrs?: readonly string[] | undefined;
}

/** A policy as it was asked for; an empty unit means requests. */
export interface RateLimitPolicyInput {
  readonly quota: bigint;
  readonly windowMs: number;
  readonly unit: string;
}

/** Throws INVALID_ARGUMENT that names every field at fault, if there is one. */
export function refuseViolations(violations: readonly FieldViolation[]): void {
  if (violations.length > 0) throw invalidArguments(violations);
}

/** `path` goes in front of every field's name: empty, or ending in a dot. Fields that are absent are not looked at. */
export function findAttributeViolations(attributes: Partial<KeyAttributes>, path = ""): FieldViolation[] {
  const { name, scopes, metadata, rateLimitPolicy, allowedCidrs } = attributes;
  return [
    ...(name === undefined ? [] : findTextViolations(`${path}name`, name)),
    ...(scopes === undefined ? [] : findScopeViolations(`${path}scopes`, scopes)),
    ...(metadata === undefined ? [] : findJsonViolations(`${path}metadata`, metadata)),
    ...(rateLimitPolicy === undefined ? [] : findPolicyViolations(`${path}rate_limit_policy`, rateLimitPolicy)),
    ...(allowedCidrs === undefined ? [] : findCidrViolations(`${path}ip_restriction.allowed_cidrs`, allowedCidrs)),
  ];
}

/** Required text of 1 to 255 characters (Unicode code points). */
export function findTextViolations(field: string, text: string): FieldViolation[] {
  if (text.length === 0) return [{ field, description: "is required" }];
  if (isLongerThan(text, MAX_TEXT_CHARACTERS)) {
    return [{ field, description: `must be at most ${MAX_TEXT_CHARACTERS} characters` }];
  }
  return [];
}

export function findVisibilityViolations(visibility: Visibility, keys: KeySettings): FieldViolation[] {
  if (visibility !== "public" || keys.publicPrefix !== undefined) return [];
  return [
    {
      field: "visibility",
      description: "KEY_VISIBILITY_PUBLIC needs keys.public_prefix in the server's configuration",
    },
  ];
}

/** `ttlMs` absent or 0 stands for the configured default. */
export function findTtlViolations(ttlMs: number | undefined, keys: KeySettings): FieldViolation[] {
  if (!ttlMs || (ttlMs >= MIN_TTL_MS && ttlMs <= keys.maxTtlMs)) return [];
  const range = `${MIN_TTL_MS / MS_PER_SECOND}s to ${keys.maxTtlMs / MS_PER_SECOND}s`;
  return [{ field: "ttl", description: `must be ${range}, or 0s for the default` }];
}

/** When a key made at `now` with the ttl that was asked for expires; `undefined`: never. */
export function expiryFromTtl(ttlMs: number | undefined, keys: KeySettings, now: Date): Date | undefined {
  const lifeMs = ttlMs || keys.defaultTtlMs;
  return lifeMs === undefined ? undefined : new Date(now.getTime() + lifeMs);
}

/** The policy to store. Only for input without violations. */
export function rateLimitPolicyFromInput({ quota, windowMs, unit }: RateLimitPolicyInput): RateLimitPolicy {
  return { quota, windowMs, unit: RATE_LIMIT_UNITS.find((known) => known === unit) ?? "requests" };
}

/** At most 128 scopes, each 1 to 255 printable characters without spaces. */
export function findScopeViolations(field: string, scopes: readonly string[]): FieldViolation[] {
  if (scopes.length > MAX_SCOPES) return [{ field, description: `must be at most ${MAX_SCOPES} scopes` }];
  return scopes.flatMap((scope, index) => {
    if (PRINTABLE_WITHOUT_SPACES.test(scope) && !isLongerThan(scope, MAX_TEXT_CHARACTERS)) return [];
    const description = `must be 1 to ${MAX_TEXT_CHARACTERS} printable characters without spaces`;
    return [{ field: `${field}[${index}]`, description }];
  });
}

/** An object of the owner's own: at most 4 KiB as compact UTF-8 JSON. */
export function findJsonViolations(field: string, metadata: JsonObject): FieldViolation[] {
  const problem = findJsonProblem(metadata, 1);
  if (problem !== undefined) return [{ field, description: problem }];
  if (Buffer.byteLength(JSON.stringify(metadata)) <= MAX_JSON_BYTES) return [];
  return [{ field, description: `must be at most ${MAX_JSON_BYTES} bytes as compact UTF-8 JSON` }];
}

/** A Struct can hold what JSON cannot, nest deeper than a stack, and use names that some readers would trip over. */
function findJsonProblem(value: JsonValue, depth: number): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return "must hold finite numbers only";
  if (typeof value === "string" && !isWellFormed(value)) return "must be well-formed Unicode";
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > MAX_JSON_DEPTH) return `must nest at most ${MAX_JSON_DEPTH} levels deep`;
  for (const [name, item] of Object.entries(value)) {
    if (name === PROTOTYPE) return `must not have a field ${PROTOTYPE}`;
    const problem = findJsonProblem(name, depth) ?? findJsonProblem(item, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function findPolicyViolations(field: string, policy: RateLimitPolicyInput): FieldViolation[] {
  const violations: FieldViolation[] = [];
  if (policy.quota <= 0n || policy.quota > MAX_INT64) {
    violations.push({ field: `${field}.quota`, description: "must be greater than 0" });
  }
  if (policy.windowMs <= 0) violations.push({ field: `${field}.window`, description: "must be longer than 0s" });
  if (policy.unit !== "" && !RATE_LIMIT_UNITS.some((unit) => unit === policy.unit)) {
    violations.push({ field: `${field}.unit`, description: `must be one of ${RATE_LIMIT_UNITS.join(", ")}` });
  }
  return violations;
}

function findCidrViolations(field: string, cidrs: readonly string[]): FieldViolation[] {
  if (cidrs.length > MAX_CIDRS) return [{ field, description: `must be at most ${MAX_CIDRS} networks` }];
  return cidrs.flatMap((cidr, index) =>
    isCidr(cidr)
      ? []
      : [{ field: `${field}[${index}]`, description: "must be a network in CIDR notation, such as 10.0.0.0/8" }],
  );
}

/** Whether UTF-8 can hold a text. Node has the method since 20; ES2023's types do not. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Counts characters (Unicode code points), and no more of them than it needs to. */
export function isLongerThan(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return false;
  return text.length > 2 * maxCharacters || [...text].length > maxCharacters;
}
