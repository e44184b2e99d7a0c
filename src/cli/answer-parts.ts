/** Parts of an answer that every Latchkey gives. What answers may be something else. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isJsonObject } from "../rest/decode-state.js";
import { CommandFailure } from "./command-failure.js";

/** @throws CommandFailure when it is not there */
export function objectOf(answer: JsonObject, field: string): JsonObject {
  const value: JsonValue | undefined = answer[field];
  if (!isJsonObject(value)) throw missing(field);
  return value;
}

/** @throws CommandFailure when it is not there, or holds something else */
export function objectsOf(answer: JsonObject, field: string): readonly JsonObject[] {
  const list = answer[field];
  if (!Array.isArray(list) || !list.every((item): item is JsonObject => isJsonObject(item))) throw missing(field);
  return list;
}

function missing(field: string): CommandFailure {
  return new CommandFailure(`the answer is not one of Latchkey: it has no ${field}`);
}
