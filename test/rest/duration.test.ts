import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseDuration } from "../../src/rest/duration.js";

const day = 86_400n;

describe("accepts", () => {
  test.each<[string, bigint, number]>([
    ["3600s", 3600n, 0],
    ["1.5s", 1n, 500_000_000],
    ["3.000000001s", 3n, 1],
    ["-1.5s", -1n, -500_000_000],
    ["-0.5s", 0n, -500_000_000],
    ["0", 0n, 0],
    ["-0s", 0n, 0],
    ["1h30m", 5400n, 0],
    ["+1h", 3600n, 0],
    ["1.5h", 5400n, 0],
    ["500ms", 0n, 500_000_000],
    ["1us", 0n, 1000],
    ["1\u00b5s", 0n, 1000],
    ["1\u03bcs", 0n, 1000],
    ["7ns", 0n, 7],
    ["1d", day, 0],
    ["1w", 7n * day, 0],
    ["1mo", 30n * day, 0],
    ["1y", 365n * day, 0],
    ["1y6mo", 545n * day, 0],
    ["1m1mo", 30n * day + 60n, 0],
    ["1d12h30m1.25s", day + 45_001n, 250_000_000],
    ["0.1d", 8640n, 0],
    ["1.0000000000s", 1n, 0],
    ["999ms1000us1000000ns", 1n, 1_000_000],
    ["315576000000.999999999s", 315_576_000_000n, 999_999_999],
    ["-315576000000s", -315_576_000_000n, 0],
    ["10006y", 10_006n * 365n * day, 0],
  ])("%s", (text, seconds, nanos) => {
    expect(parseDuration(text)).toEqual({ value: { seconds, nanos } });
  });
});

describe("refuses", () => {
  const syntax = 'expected a duration such as "3600s", "1h30m" or "30d"';
  const range = "expected a duration of at most 315576000000s";

  test.each([
    ...[
      "",
      "-",
      "+",
      "1",
      "-1",
      "s",
      "1h 30m",
      " 1s",
      "1s ",
      "1S",
      "1H",
      "1.s",
      ".5s",
      "1..5s",
      "1e9y",
      "1e3s",
      "--1s",
    ],
    ...["1h-30m", "1mon", "1min", "\u0661s", "NaN", "Infinity", "1s\n", "00", "0x1s", "1_000s", "1,5s", "P1D"],
  ])("%j", (text) => {
    expect(parseDuration(text)).toEqual({ error: syntax });
  });

  test.each(["315576000001s", "-315576000001s", "10007y", "99999999999999999999999999y"])("%s", (text) => {
    expect(parseDuration(text)).toEqual({ error: range });
  });

  test.each(["1.5ns", "0.0000000001s", "0.1us0.00001us"])("%s", (text) => {
    expect(parseDuration(text)).toEqual({ error: "expected a duration in whole nanoseconds" });
  });

  test("more than 64 characters, whatever they are", () => {
    expect(parseDuration(`${"0".repeat(63)}s`)).toEqual({ value: { seconds: 0n, nanos: 0 } });
    expect(parseDuration(`${"0".repeat(64)}s`)).toEqual({ error: "expected a duration of at most 64 characters" });
  });
});

test("every duration of protobuf parses to itself", () => {
  const parts = fc.tuple(fc.boolean(), fc.bigInt(0n, 315_576_000_000n), fc.integer({ min: 0, max: 999_999_999 }));
  fc.assert(
    fc.property(parts, ([isNegative, seconds, nanos]) => {
      const text = `${isNegative ? "-" : ""}${seconds}.${String(nanos).padStart(9, "0")}s`;
      const value = isNegative ? { seconds: -seconds, nanos: nanos && -nanos } : { seconds, nanos };
      expect(parseDuration(text)).toEqual({ value });
    }),
    { seed: 4 },
  );
});

test("any text is a value in range or an error", () => {
  const piece = fc.constantFrom("1", "30", ".", "-", "h", "m", "mo", "s", "ms", "y", "0.5", " ");
  const text = fc.oneof(
    fc.array(piece).map((pieces) => pieces.join("")),
    fc.string(),
  );
  let values = 0;
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parseDuration(input);
      if ("error" in parsed) return;
      values++;
      expect(Math.abs(Number(parsed.value.seconds))).toBeLessThanOrEqual(315_576_000_000);
      expect(Math.abs(parsed.value.nanos)).toBeLessThan(1_000_000_000);
    }),
    { seed: 5, numRuns: 5_000 },
  );
  expect(values).toBeGreaterThan(50);
});
