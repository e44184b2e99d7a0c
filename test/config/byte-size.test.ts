import { describe, expect, test } from "@jest/globals";
import { parseByteSize } from "../../src/config/byte-size.js";

describe("parseByteSize", () => {
  test.each([
    ["0KiB", 0],
    ["512KiB", 524_288],
    ["64MiB", 67_108_864],
    ["64 MiB", 67_108_864],
    ["2GiB", 2_147_483_648],
  ])("%s", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  test.each([
    "",
    "64",
    "MiB",
    "64MB",
    "64mib",
    "-1MiB",
    "1.5MiB",
    "1  MiB",
    " 1MiB",
    "1MiB ",
    "1MiB1KiB",
    "1e3KiB",
    "١MiB",
    "999999999999999GiB",
    "9".repeat(400),
  ])("refuses %j", (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });
});
