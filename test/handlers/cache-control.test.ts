import { expect, test } from "@jest/globals";
import { freshnessFromHeaders } from "../../src/handlers/cache-control.js";

test.each([
  ["no-cache", "fresh"],
  ["NO-Cache", "fresh"],
  ["max-age=0,no-cache", "fresh"],
  [" \t no-cache\t, max-age=0", "fresh"],
  [",,no-cache,", "fresh"],
  [["max-age=1", "no-cache"], "fresh"],
  ["no-store", "unstored"],
  ["no-cache, no-store", "unstored"],
  ["No-Store,no-cache", "unstored"],
  ["", "cached"],
  [[], "cached"],
  ["max-age=0", "cached"],
  ["no-cache=name", "cached"],
  ['no-cache="name"', "cached"],
  ["no_cache", "cached"],
  ["no-cached", "cached"],
  ["no cache", "cached"],
  ["no-cache no-store", "cached"],
  ["only-if-cached; no-cache", "cached"],
  ['"no-cache"', "cached"],
] as const)("cache-control: %j asks for %s", (value, expected) => {
  expect(freshnessFromHeaders({ "cache-control": typeof value === "string" ? value : [...value] })).toBe(expected);
});

test.each([
  [{}, "cached"],
  [{ pragma: "no-cache" }, "fresh"],
  [{ pragma: "x=1, No-Cache" }, "fresh"],
  [{ pragma: "no-store" }, "cached"],
  [{ pragma: "cache" }, "cached"],
  [{ pragma: "no-cache", "cache-control": "max-age=60" }, "fresh"],
  [{ pragma: "no-cache", "cache-control": "no-store" }, "unstored"],
  [{ "x-cache-control": "no-cache" }, "cached"],
] as const)("%j asks for %s", (headers, expected) => {
  expect(freshnessFromHeaders(headers)).toBe(expected);
});
