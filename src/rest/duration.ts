/** The fields of `google.protobuf.Duration`: `nanos` has the sign of `seconds`. */
export interface DurationParts {
  readonly seconds: bigint;
  readonly nanos: number;
}

export type ParsedDuration = { readonly value: DurationParts } | { readonly error: string };

const maxLength = 64;
const maxSeconds = 315_576_000_000n;
const nanosPerSecond = 1_000_000_000n;

const nanosPerUnit: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n], // micro sign
  ["\u03bcs", 1_000n], // Greek mu
  ["ms", 1_000_000n],
  ["s", nanosPerSecond],
  ["m", 60n * nanosPerSecond],
  ["h", 3_600n * nanosPerSecond],
  ["d", 86_400n * nanosPerSecond],
  ["w", 7n * 86_400n * nanosPerSecond],
  ["mo", 30n * 86_400n * nanosPerSecond],
  ["y", 365n * 86_400n * nanosPerSecond],
]);

// Sticky and without nested repetition: the time it takes is linear. Longer units stand first.
const component = /([0-9]+)(?:\.([0-9]+))?(ns|us|\u00b5s|\u03bcs|ms|mo|s|m|h|d|w|y)/y;

/**
 * Parses a duration, exactly:
 *
 *     Duration  = [ "-" | "+" ] ( "0" | Component { Component } ) ;
 *     Component = DIGITS [ "." DIGITS ] Unit ;
 *     Unit      = "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "d" | "w" | "mo" | "y" ;
 *
 * That is every duration of ProtoJSON (`3.5s`), those of Go that have digits on both sides of a point (`1h30m`), and the
 * longer units: `d` is 24 h, `w` 7 d, `mo` 30 d, `y` 365 d. The order of units is free. Go cuts off what is finer than a
 * nanosecond; here it is an error, as is anything outside protobuf's range of about 10,000 years either way.
 *
 * @see https://protobuf.dev/reference/protobuf/google.protobuf/#duration
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): ParsedDuration {
  if (text.length > maxLength) return { error: `expected a duration of at most ${maxLength} characters` };
  const isNegative = text.startsWith("-");
  const start = isNegative || text.startsWith("+") ? 1 : 0;
  const nanos = text.slice(start) === "0" ? 0n : sumComponents(text, start);
  if (nanos === undefined) return { error: 'expected a duration such as "3600s", "1h30m" or "30d"' };
  if (nanos === "too fine") return { error: "expected a duration in whole nanoseconds" };
  const seconds = nanos / nanosPerSecond;
  if (seconds > maxSeconds) return { error: `expected a duration of at most ${maxSeconds}s` };
  const rest = Number(nanos % nanosPerSecond);
  return { value: isNegative ? { seconds: -seconds, nanos: rest === 0 ? 0 : -rest } : { seconds, nanos: rest } };
}

/** Undefined when the text does not follow the grammar. */
function sumComponents(text: string, start: number): bigint | "too fine" | undefined {
  let nanos = 0n;
  let isTooFine = false;
  component.lastIndex = start;
  let index = start;
  do {
    const match = component.exec(text);
    const unit = nanosPerUnit.get(match?.[3] ?? "");
    if (!match || unit === undefined) return undefined;
    const fraction = match[2] ?? "";
    const scaled = BigInt((match[1] ?? "") + fraction) * unit;
    const divisor = 10n ** BigInt(fraction.length);
    if (scaled % divisor !== 0n) isTooFine = true;
    nanos += scaled / divisor;
    index = component.lastIndex;
  } while (index < text.length);
  return isTooFine ? "too fine" : nanos;
}
