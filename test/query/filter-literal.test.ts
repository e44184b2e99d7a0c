import { expect, test } from "@jest/globals";
import { parseDurationMs, parseNumber, parseTimestampMs } from "../../src/query/filter-literal.js";

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["2012-04-21T11:30:00-04:00", 1_335_022_200_000],
  ["2012-04-21t11:30:00z", 1_335_007_800_000],
  ["2024-02-29T23:59:59.999+00:00", 1_709_251_199_999],
  ["0001-01-01T00:00:00Z", -62_135_596_800_000],
  ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ["1970-01-01T00:00:00.1Z", 100],
  ["1970-01-01T00:00:00.001000Z", 1],
  ["1970-01-01T00:00:00.001000001Z", 1.5],
  ["1969-12-31T23:59:59.9999Z", -0.5],
])("the time %s is %d ms", (text, timeMs) => expect(parseTimestampMs(text)).toBe(timeMs));

test.each([
  "",
  "2026-01-31",
  "2026-01-31 12:00:00Z",
  "2026-01-31T12:00:00",
  "2026-01-31T12:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2026-04-31T00:00:00+02:00",
  "2026-01-31T24:00:00Z",
  "2026-01-31T23:59:60Z",
  "2026-01-31T12:00:00.Z",
  "2026-01-31T12:00:00+24:00",
  "2026-01-31T12:00:00+0100",
  "12026-01-31T12:00:00Z",
  " 2026-01-31T12:00:00Z",
])("%j is no time", (text) => expect(parseTimestampMs(text)).toBeUndefined());

test.each([
  ["20s", 20_000],
  ["1.2s", 1200],
  ["-0.001s", -1],
  ["4.35s", 4350],
  ["0.0001s", 0.1],
])("the duration %s is %d ms", (text, durationMs) => expect(parseDurationMs(text)).toBe(durationMs));

test.each(["20", "s", "1h", "1m0s", "1e3s", ".5s", "1.s", "+1s"])("%j is no duration", (text) =>
  expect(parseDurationMs(text)).toBeUndefined(),
);

test.each([
  ["0", 0],
  ["-0", 0],
  ["-30", -30],
  ["2.997e9", 2.997e9],
  ["1E-2", 0.01],
])("%s is a number", (text, number) => expect(parseNumber(text)).toBe(number));

test.each(["", "-", ".5", "5.", "0x10", "1_000", "Infinity", "NaN", "1e999", "+1", "1n"])("%j is no number", (text) =>
  expect(parseNumber(text)).toBeUndefined(),
);
