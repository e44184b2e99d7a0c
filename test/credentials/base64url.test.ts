import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeBase64Url, encodeBase64Url } from "../../src/credentials/base64url.js";

test.each([
  ["", ""],
  ["Zg", "f"],
  ["Zm8", "fo"],
  ["Zm9v", "foo"],
  ["Z29-IQ", "go~!"],
])("%j is read", (text, expected) => {
  const bytes = decodeBase64Url(text);
  expect(bytes && Buffer.from(bytes).toString()).toBe(expected);
});

test.each([
  ["padding", "Zg=="],
  ["half of the padding", "Zg="],
  ["unused bits that are set", "Zh"],
  ["unused bits that are set, of two bytes", "Zm9"],
  ["a single character", "Z"],
  ["white space in front", " Zm9v"],
  ["white space inside", "Zm 9v"],
  ["white space at the end", "Zm9v\n"],
  ["the alphabet of base64", "Z29+IQ"],
  ["a letter outside ASCII", "Zm9v\u00e9"],
])("%s is refused", (_, text) => {
  expect(decodeBase64Url(text)).toBeUndefined();
});

test("any bytes are written and read again, also a part of a larger array", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(8), (bytes, start) => {
      const part = bytes.subarray(start);
      expect(Buffer.compare(decodeBase64Url(encodeBase64Url(part)) ?? Buffer.from("none"), part)).toBe(0);
    }),
    { seed: 1 },
  );
});
