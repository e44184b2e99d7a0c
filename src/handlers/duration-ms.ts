import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "../errors.js";

const MS_PER_SECOND = 1000;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;
/** The range of google.protobuf.Duration: about 10,000 years. */
const MAX_SECONDS = 315_576_000_000n;

/** Milliseconds of a duration in the field of a request. Throws INVALID_ARGUMENT when it is none, or finer than that. */
export function durationToMs(field: string, { seconds, nanos }: Duration): number {
  const oneSign = seconds === 0n || nanos === 0 || seconds > 0n === nanos > 0;
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS || Math.abs(nanos) >= NANOS_PER_SECOND || !oneSign) {
    throw invalidArgument(field, "is not a valid google.protobuf.Duration");
  }
  if (nanos % NANOS_PER_MS !== 0) throw invalidArgument(field, "must be whole milliseconds");
  return Number(seconds) * MS_PER_SECOND + nanos / NANOS_PER_MS;
}

/** The duration of a number of milliseconds that is not negative. */
export function durationFromMs(ms: number): Duration {
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(ms / MS_PER_SECOND)),
    nanos: (ms % MS_PER_SECOND) * NANOS_PER_MS,
  });
}
