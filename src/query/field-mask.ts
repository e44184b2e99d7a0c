/** Update masks (AIP-134, AIP-161). Pure: knows field names, not messages. */
import { ServiceError } from "../errors.js";

const ALL_FIELDS = "*";

export interface MaskRules {
  /** The fields that a mask may name, in snake_case. */
  readonly maskable: readonly string[];
  /** The fields that the request's message has a value in. */
  readonly populated: readonly string[];
}

/**
 * The fields that a request changes. No mask, or an empty one, as not every client can tell the two apart: every
 * populated field that a mask could name (the others are output-only or immutable and are ignored, AIP-203). `*`: all of
 * them. Throws INVALID_UPDATE_MASK for a path that may not be named.
 */
export function resolveFieldMask(paths: readonly string[] | undefined, rules: MaskRules): ReadonlySet<string> {
  const { maskable, populated } = rules;
  if (paths === undefined || paths.length === 0) return new Set(maskable.filter((field) => populated.includes(field)));

  if (paths.includes(ALL_FIELDS)) {
    if (paths.length > 1) throw invalidUpdateMask(`"${ALL_FIELDS}" stands for every field and cannot be combined`);
    return new Set(maskable);
  }
  const unknown = paths.find((path) => !maskable.includes(path));
  if (unknown !== undefined) {
    throw invalidUpdateMask(`"${unknown}" cannot be updated; what can is ${maskable.join(", ")}`);
  }
  return new Set(paths);
}

function invalidUpdateMask(description: string): ServiceError {
  const fields = [{ field: "update_mask", description }];
  return new ServiceError("INVALID_UPDATE_MASK", `update_mask: ${description}`, { fields });
}
