/** Update masks (AIP-134, AIP-161). Pure: knows fields by their names and by what they are, and no message. */
import { ServiceError } from "../errors.js";
import { named } from "./filter-error.js";

const ALL_FIELDS = "*";
/** More wrong paths than these are counted, not named. */
const MAX_NAMED_PATHS = 5;
const NO_SUCH_FIELD = "no such field";

/** A field of a resource as a mask sees it. */
export interface MaskField {
  /** In snake_case. */
  readonly name: string;
  /** Why a mask may not name it, such as `output only`. Absent: it may. */
  readonly refusal?: string | undefined;
}

/**
 * The fields that a request changes. No mask, or an empty one, as not every client can tell the two apart: every field with
 * a value that a mask could name (the others are output only or immutable and are ignored, AIP-203). `*`: all that a mask
 * could name. A path within a field is refused, as fields change as a whole.
 *
 * Throws INVALID_UPDATE_MASK for paths that may not be named, and says of each why.
 */
export function resolveFieldMask(
  paths: readonly string[] | undefined,
  fields: readonly MaskField[],
  isPopulated: (field: string) => boolean,
): ReadonlySet<string> {
  const maskable = fields.filter(({ refusal }) => refusal === undefined).map(({ name }) => name);
  if (paths === undefined || paths.length === 0) return new Set(maskable.filter(isPopulated));

  if (paths.includes(ALL_FIELDS)) {
    if (paths.length > 1) throw invalidUpdateMask(`"${ALL_FIELDS}" stands for every field and cannot be combined`);
    return new Set(maskable);
  }
  const asked = new Set(paths);
  const wrong = [...asked].filter((path) => !maskable.includes(path));
  if (wrong.length > 0) {
    throw invalidUpdateMask(`${describePaths(wrong, fields)} cannot be updated; what can is ${maskable.join(", ")}`);
  }
  return asked;
}

function describePaths(paths: readonly string[], fields: readonly MaskField[]): string {
  const told = paths.slice(0, MAX_NAMED_PATHS).map((path) => `${named(path)} (${refusalOf(path, fields)})`);
  const untold = paths.length - told.length;
  return told.join(", ") + (untold > 0 ? ` and ${untold} more` : "");
}

function refusalOf(path: string, fields: readonly MaskField[]): string {
  const [first = ""] = path.split(".", 1);
  const field = fields.find(({ name }) => name === first);
  if (field === undefined) return NO_SUCH_FIELD;
  return field.refusal ?? `a part of ${first}`;
}

function invalidUpdateMask(description: string): ServiceError {
  const fields = [{ field: "update_mask", description }];
  return new ServiceError("INVALID_UPDATE_MASK", `update_mask: ${description}`, { fields });
}
