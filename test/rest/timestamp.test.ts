import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatTimestamp, parseTimestamp } from "../../src/rest/timestamp.js";

describe("parses", () => {
  test.each<[string, bigint, number]>([
    ["1970-01-01T00:00:00Z", 0n, 0],
    ["2021-01-01T00:00:00.5Z", 1_609_459_200n, 500_000_000],
    ["2021-01-01T00:00:00.000000001Z", 1_609_459_200n, 1],
    ["2021-01-01T01:30:00+01:30", 1_609_459_200n, 0],
    ["2020-12-31T23:00:00-01:00", 1_609_459_200n, 0],
    ["2021-01-01t00:00:00z", 1_609_459_200n, 0],
    ["2024-02-29T00:00:00Z", 1_709_164_800n, 0],
    ["0001-01-01T00:00:00Z", -62_135_596_800n, 0],
    ["9999-12-31T23:59:59.999999999Z", 253_402_300_799n, 999_999_999],
  ])("%s", (text, seconds, nanos) => {
    expect(parseTimestamp(text)).toEqual({ seconds, nanos });
  });
});

test.each([
  ...["", "now", "2021-01-01", "2021-01-01T00:00:00", "2021-01-01 00:00:00Z", "2021-1-1T0:0:0Z", "1609459200"],
  ...["2021-02-29T00:00:00Z", "2021-04-31T00:00:00Z", "2021-00-01T00:00:00Z", "2021-13-01T00:00:00Z"],
  ...["2021-01-00T00:00:00Z", "2021-01-01T24:00:00Z", "2021-01-01T00:60:00Z", "2016-12-31T23:59:60Z"],
  ...[
    "2021-01-01T00:00:00.Z",
    "2021-01-01T00:00:00.1234567890Z",
    "2021-01-01T00:00:00+24:00",
    "2021-01-01T00:00:00+01:60",
  ],
  ...["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2021-01-01T00:00:00Z\n"],
])("refuses %j", (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});

test.each<[number, string]>([
  [0, "2021-01-01T00:00:00Z"],
  [120_000_000, "2021-01-01T00:00:00.120Z"],
  [1_000, "2021-01-01T00:00:00.000001Z"],
  [1, "2021-01-01T00:00:00.000000001Z"],
])("%d ns are written as %s", (nanos, text) => {
  expect(formatTimestamp({ seconds: 1_609_459_200n, nanos })).toBe(text);
});

test.each<[bigint, number]>([
  [-62_135_596_801n, 0],
  [253_402_300_800n, 0],
  [0n, -1],
  [0n, 1_000_000_000],
])("%d s and %d ns cannot be written", (seconds, nanos) => {
  expect(() => formatTimestamp({ seconds, nanos })).toThrow(new RangeError("google.protobuf.Timestamp out of range"));
});

test("what is written is read", () => {
  const parts = fc.record({
    seconds: fc.bigInt(-62_135_596_800n, 253_402_300_799n),
    nanos: fc.integer({ min: 0, max: 999_999_999 }),
  });
  fc.assert(
    fc.property(parts, (timestamp) => expect(parseTimestamp(formatTimestamp(timestamp))).toEqual(timestamp)),
    { seed: 6 },
  );
});
