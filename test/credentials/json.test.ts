import { expect, test } from "@jest/globals";
import { decodeUtf8, isJsonObject, isTextList, type JsonValue, parseJson } from "../../src/credentials/json.js";

test("bytes are text when they are UTF-8", () => {
  expect(decodeUtf8(Buffer.from("a\u00e9\ud83d\udc4d"))).toBe("a\u00e9\ud83d\udc4d");
  expect(decodeUtf8(Buffer.from("\ufeffa"))).toBe("\ufeffa");
  expect(decodeUtf8(Buffer.from("ff", "hex"))).toBeUndefined();
  expect(decodeUtf8(Buffer.from("c080", "hex"))).toBeUndefined();
  expect(decodeUtf8(Buffer.from("eda080", "hex"))).toBeUndefined();
});

test("JSON is read, the last of two members with the same name", () => {
  expect(parseJson(' {"a": 1, "a": [null, true, "b"]} ')).toEqual({ a: [null, true, "b"] });
});

test.each([undefined, "", "{", "{}x", "\ufeff{}", "{'a': 1}", "NaN", "[1,]"])("%j is no JSON", (text) => {
  expect(parseJson(text)).toBeUndefined();
});

test.each<[JsonValue | undefined, boolean, boolean]>([
  [{}, true, false],
  [[], false, true],
  [["a", ""], false, true],
  [["a", 1], false, false],
  [[["a"]], false, false],
  [null, false, false],
  [undefined, false, false],
  ["a", false, false],
  [1, false, false],
])("%j is an object: %s, a list of texts: %s", (json, isObject, isList) => {
  expect(isJsonObject(json)).toBe(isObject);
  expect(isTextList(json)).toBe(isList);
});
