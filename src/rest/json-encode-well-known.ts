import type { Duration, FieldMask, ListValue, Struct, Timestamp, Value } from "@bufbuild/protobuf/wkt";
import { formatFraction, formatTimestamp } from "./timestamp.js";

const maxDurationSeconds = 315_576_000_000n;

/**
 * Encoders of the messages that have a JSON form of their own, by type name; each takes a message of that type. Names in a
 * field mask are snake_case, like all names in our JSON.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
export const encodeWellKnown: ReadonlyMap<string, (message: never) => string> = new Map<
  string,
  (message: never) => string
>([
  ["google.protobuf.Timestamp", (timestamp: Timestamp) => `"${formatTimestamp(timestamp)}"`],
  ["google.protobuf.Duration", (duration: Duration) => `"${formatDuration(duration)}"`],
  ["google.protobuf.FieldMask", (mask: FieldMask) => JSON.stringify(mask.paths.join(","))],
  ["google.protobuf.Struct", encodeStruct],
  ["google.protobuf.ListValue", encodeList],
  ["google.protobuf.Value", encodeValue],
]);

/** @throws RangeError when it is outside protobuf's range, or the signs differ */
function formatDuration({ seconds, nanos }: Duration): string {
  const isMixed = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
  if (isMixed || Math.abs(nanos) > 999_999_999 || seconds > maxDurationSeconds || seconds < -maxDurationSeconds) {
    throw new RangeError("google.protobuf.Duration out of range");
  }
  const sign = seconds < 0n || nanos < 0 ? "-" : "";
  return `${sign}${seconds < 0n ? -seconds : seconds}${formatFraction(Math.abs(nanos))}s`;
}

function encodeStruct({ fields }: Struct): string {
  const entries = Object.entries(fields).map(([key, value]) => `${JSON.stringify(key)}:${encodeValue(value)}`);
  return `{${entries.join(",")}}`;
}

function encodeList({ values }: ListValue): string {
  return `[${values.map(encodeValue).join(",")}]`;
}

function encodeValue({ kind }: Value): string {
  switch (kind.case) {
    case "structValue":
      return encodeStruct(kind.value);
    case "listValue":
      return encodeList(kind.value);
    case "numberValue":
      if (!Number.isFinite(kind.value)) throw new RangeError("google.protobuf.Value must be a finite number");
      return JSON.stringify(kind.value);
    case "stringValue":
    case "boolValue":
      return JSON.stringify(kind.value);
    default:
      return "null";
  }
}
