import { describe, expect, test } from "@jest/globals";
import { parseDuration } from "../../src/config/duration.js";

describe("parseDuration", () => {
  test.each([
    ["0s", 0],
    ["500ms", 500],
    ["2s", 2_000],
    ["15m", 900_000],
    ["1h30m", 5_400_000],
    ["30d", 2_592_000_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["315360000s", 315_360_000_000],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "5",
    "s",
    "-1h",
    "+1h",
    "1.5h",
    "1h 30m",
    " 1h",
    "1H",
    "1y",
    "1e3s",
    "١s",
    "9007199254740992ms",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
