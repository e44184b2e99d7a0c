import { describe, expect, test } from "@jest/globals";
import { decodePathVariable, normalizePercentEncoding } from "../../src/rest/percent-encoding.js";
import { vectors } from "./vectors.js";

describe("vectors", () => {
  // This service answers HTTP and makes no such requests: it never encodes a path.
  const decoding = vectors.escaping.filter(({ direction }) => direction !== "encode");

  test("there are vectors", () => {
    expect([decoding.length, vectors.escaping.length]).toEqual([5, 9]);
  });

  test.each(decoding)("$input as $mode", ({ input, mode, decoded }) => {
    expect(decodePathVariable(input ?? "", mode === "multi")).toBe(decoded);
  });

  // What http.proto asks for, of the three ways that ESP has (the match vector "multi_segment_unescape").
  const reserved = "%21%23%24%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D";

  test("one segment is decoded wholly, several keep their encoded slashes", () => {
    expect(decodePathVariable(reserved, false)).toBe("!#$&'()*+,/:;=?@[]");
    expect(decodePathVariable(reserved, true)).toBe("!#$&'()*+,%2F:;=?@[]");
    expect(decodePathVariable("a%2fb/%252f", true)).toBe("a%2Fb/%2f");
  });
});

test.each(["%", "%2", "%zz", "%ff", "%C3", "%ED%A0%80"])("refuses %s", (text) => {
  expect(() => decodePathVariable(text, false)).toThrow(URIError);
  expect(() => decodePathVariable(text, true)).toThrow(URIError);
});

test("equivalent texts become equal, and no others", () => {
  expect(normalizePercentEncoding("%7euser%2dkey%2f%2A%c3%a9")).toBe("~user-key%2F%2A%C3%A9");
  expect(normalizePercentEncoding("a*b,c")).toBe("a*b,c");
});
