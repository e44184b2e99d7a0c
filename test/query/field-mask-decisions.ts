/** Why a mask does here what it does not do elsewhere. */
const FIELDS_AS_A_WHOLE = "a path within a field is an error that names it: fields change as a whole";
const NO_MERGE = "without a mask, too, a field is replaced as a whole and not merged";
const NAMED_IS_AN_ERROR =
  "a mask that names what cannot be changed is an error, also where the value stays the same: nobody is to believe that it did something";
const NO_SUCH_THING = "there is no such field, so there is nothing to decide";
const BOTH_SPELLINGS = "REST takes the names in either case, as everywhere in its JSON; Connect's JSON is ProtoJSON";

/** The decision that a refusal stands for. */
export function decisionOf(message: string): string {
  return /^update_mask: "[^"]+" \(a part of \w+\) cannot be updated; /.test(message)
    ? FIELDS_AS_A_WHOLE
    : `none: ${message}`;
}

/** The decision on a value that came out in another way. */
export function decisionOfValue(isReplaced: boolean): string {
  return isReplaced ? NO_MERGE : "none: another value";
}

/** The vectors that are decided otherwise, all of them. */
export const DECIDED_OTHERWISE = {
  update: {
    [NO_MERGE]: ["omitted: nested merges", "omitted: oneof merges same member"],
    [FIELDS_AS_A_WHOLE]: [
      "paths: repeated message deep is a no-op",
      "paths: nested deep",
      "paths: nested deep dst nil creates parent",
      "paths: nested deep src nil clears leaf, keeps parent",
      "paths: map deep is a no-op (einride)",
      "paths: oneof deep swaps member",
      "paths: oneof deep src nil",
    ],
  },
  validate: {
    [FIELDS_AS_A_WHOLE]: ["parent,book.name"],
  },
  behaviour: {
    [NAMED_IS_AN_ERROR]: [
      "OUTPUT_ONLY listed directly or via * or a parent: input value ignored, no error",
      "IMMUTABLE in mask: ignore if equal, INVALID_ARGUMENT if a change is requested",
    ],
    [NO_SUCH_THING]: [
      "etag present and different: ABORTED; update_mask does not affect etag",
      "allow_missing + missing resource: mask ignored, all fields applied",
    ],
    [BOTH_SPELLINGS]: [
      "JSON form of FieldMask: one comma-separated string, lowerCamelCase; a path that does not round-trip snake<->camel (e.g. foo__bar, fooBar) fails to serialize",
    ],
  },
};
