/** The fields of `google.protobuf.Timestamp`. */
export interface TimestampParts {
  readonly seconds: bigint;
  readonly nanos: number;
}

const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const minSeconds = -62_135_596_800; // 0001-01-01T00:00:00Z
const maxSeconds = 253_402_300_799; // 9999-12-31T23:59:59Z

/**
 * Parses a timestamp of RFC 3339 with at most nine decimals, in the years 1 to 9999 of UTC. A leap second (`:60`) has no
 * place in `google.protobuf.Timestamp` and is refused.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 * @see https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp
 * @returns undefined when it is not one
 */
export function parseTimestamp(text: string): TimestampParts | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = match;
  // The years before 100 would be read as 19xx by Date.UTC.
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  // Date carries what is too large over to the next unit: then a part is not the one that was written.
  const isReal =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    date.getUTCMinutes() === Number(minute) &&
    date.getUTCSeconds() === Number(second);
  if (!isReal) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60;
  const seconds = date.getTime() / 1000 + (sign === "-" ? offset : -offset);
  if (seconds < minSeconds || seconds > maxSeconds) return undefined;
  return { seconds: BigInt(seconds), nanos: Number(fraction.padEnd(9, "0")) };
}

/**
 * Writes a timestamp in UTC with 0, 3, 6 or 9 decimals, as ProtoJSON does.
 *
 * @throws RangeError when it is outside the years 1 to 9999
 */
export function formatTimestamp({ seconds, nanos }: TimestampParts): string {
  if (seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos > 999_999_999) {
    throw new RangeError("google.protobuf.Timestamp out of range");
  }
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${formatFraction(nanos)}Z`;
}

/** ".5" as ".500": 0, 3, 6 or 9 decimals. */
export function formatFraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (nanos % 1_000_000 === 0) return `.${digits.slice(0, 3)}`;
  return nanos % 1_000 === 0 ? `.${digits.slice(0, 6)}` : `.${digits}`;
}
